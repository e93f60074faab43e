// The generator's own script takes the Mermaid that is there, and fetches none from elsewhere.
import { mermaid } from "./mermaid/index.js";

window.mermaid = mermaid;

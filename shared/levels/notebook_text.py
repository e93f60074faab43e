"""Print a notebook as plain code, each cell under a `# %%` line: this text is what `make diff` compares."""

import json
import sys
from pathlib import Path


def as_text(notebook: bytes) -> str:
    """Return the sources of all cells; outputs, counters and metadata are left out."""
    cells = []
    for cell in json.loads(notebook)["cells"]:
        title = "# %%" if cell["cell_type"] == "code" else f"# %% [{cell['cell_type']}]"
        cells.append(f"{title}\n{''.join(cell['source']).rstrip()}\n")
    return "\n".join(cells)


if __name__ == "__main__":
    sys.stdout.buffer.write(as_text(Path(sys.argv[1]).read_bytes()).encode())

"""Where a stage keeps what it writes: in one folder, which the environment names."""

import os
from pathlib import Path

STAGE = Path(os.environ.get("STAGE", "."))
DROP = STAGE / "drop"  # the upstream publishes here
DATA = STAGE / "data"  # what has been collected
APP = STAGE / "app"  # releases of the application

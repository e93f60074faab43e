"""What the first command of the README takes on a machine that has nothing of it yet: docs/fresh.json.

A clone in a folder of its own, with its caches inside, so that every package is installed anew.
"""

import json
import os
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from shared.base import ROOT, write_text
from shared.levels.front import FRESH, LEVEL
from shared.levels.recording import DAYS

WITHOUT = ("MAKEFLAGS", "MAKELEVEL")


def main() -> None:
    """Measure it, and write it."""
    with TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        environment = {name: value for name, value in os.environ.items() if name not in WITHOUT}
        began = time.monotonic()
        subprocess.run(["make", f"level{LEVEL}", f"DAYS={DAYS}", "ONCE=1"], cwd=clone, env=environment, check=True)
        seconds = time.monotonic() - began
        files = [path.lstat() for path in clone.rglob("*")]
    size = sum({file.st_ino: file.st_size for file in files}.values())  # packages are links into the cache
    measured = {"seconds": round(seconds), "megabytes": round(size / 2**20), "cores": os.cpu_count()}
    write_text(ROOT / FRESH, json.dumps(measured) + "\n")
    print(f"{FRESH}: {measured}")


if __name__ == "__main__":
    main()

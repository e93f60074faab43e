"""A Python that has been started already, for scripts that people run every day of a year.

Most of such a script's time is the interpreter reading its libraries. Here one process has read them and forks for
each script: the same script in the same folder with the same files, without the wait. A `python` in front of the
PATH hands scripts over to it; `python -m` and everything else is left to the real one.
"""

import os
import runpy
import sys
import traceback
from pathlib import Path

SHIM = """#!/bin/bash
case "$1" in *.py) ;; *) exec {python} "$@" ;; esac
printf '%s\\n' "$PWD" "$@" > {folder}/asked
{{ read -r code; cat >&2; }} < {folder}/answered
exit "$code"
"""


def prepare(folder: Path) -> None:
    """Put the `python` that hands over, and the pipes to hand over by, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("asked", "answered"):
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)
    (folder / "python").write_text(SHIM.format(python=sys.executable, folder=folder))
    (folder / "python").chmod(0o755)


def serve(folder: Path) -> None:
    """Run one script after another, each in a process of its own, until ended."""
    import pandas as pd  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import sklearn.compose
    import sklearn.ensemble
    import sklearn.pipeline
    import sklearn.preprocessing  # noqa: F401

    output = folder / "output"
    while True:
        working_directory, *arguments = (folder / "asked").read_text().splitlines()
        child = os.fork()
        if child == 0:
            _become(working_directory, arguments, output)
        _, status = os.waitpid(child, 0)
        (folder / "answered").write_text(f"{os.waitstatus_to_exitcode(status)}\n{output.read_text()}")


def _become(working_directory: str, arguments: list[str], output: Path) -> None:
    """Run the script as if this process had been started for it, and never return."""
    code = 1
    out = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    try:
        os.chdir(working_directory)
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))

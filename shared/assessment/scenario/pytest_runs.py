"""Run pytest many times without the wait: libraries are read once, and each run is a fork of that process.

`python -m shared.assessment.scenario.pytest_runs JOBS` reads a file with a list of jobs, each with the `folder` to
run in and pytest's `arguments`, and prints a list with the exit code and the output of each, in the same order.
"""

import importlib
import json
import multiprocessing
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from ...base import ROOT, StageError
from ...stack.process import last_line, run
from ...stack.stage import TELEMETRY_OFF

AT_ONCE = 2
READ_ONCE = (
    "pandas",
    "sklearn.ensemble",
    "fastapi.testclient",
    "mlflow.sklearn",
    "prefect",
)  # if they are installed
# Plugins of other packages take seconds, threads on small tables too.
FASTER = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}

Job = dict[str, Any]


class Run(NamedTuple):
    """How a run of pytest ended: with which code, and what it printed."""

    code: int
    output: str


def run_all(jobs: list[Job], folder: Path) -> list[Run]:
    """Run jobs as somebody does who develops the level: the stage is nothing to them. Return how each ended.

    Raises:
        StageError: they could not be run.
    """
    written = folder / "jobs.json"
    written.write_text(json.dumps(jobs))
    done = run([sys.executable, "-m", __name__, str(written)], ROOT, os.environ | TELEMETRY_OFF | FASTER)
    if done.returncode:
        raise StageError(f"tests could not be run: {last_line(done)}")
    return [Run(*ended) for ended in json.loads(done.stdout.splitlines()[-1])]


def _run(job: Job) -> Run:
    """Run one job in this process, which ends with it."""
    import pytest

    os.chdir(job["folder"])
    sys.path[:] = [job["folder"], *(path for path in sys.path if path not in ("", str(ROOT)))]
    os.environ["PYTHONPATH"] = job["folder"]
    with tempfile.TemporaryFile("w+") as output:
        os.dup2(output.fileno(), 1)
        code = int(pytest.main(job["arguments"]))
        sys.stdout.flush()
        output.seek(0)
        return Run(code, output.read())


def main() -> None:
    """Run the jobs of a file."""
    jobs = json.loads(Path(sys.argv[1]).read_text())
    for name in ("pytest", *READ_ONCE):
        with suppress(ImportError):
            importlib.import_module(name)
    with multiprocessing.get_context("fork").Pool(AT_ONCE, maxtasksperchild=1) as pool:
        print(json.dumps(pool.map(_run, jobs, chunksize=1)))


if __name__ == "__main__":
    main()

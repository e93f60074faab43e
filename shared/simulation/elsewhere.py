"""Simulate scenarios on the workers of a cluster, and bring the files of each simulation here.

A worker simulates in its own checkout, with all packages that the level needs, as `make scoreboard` would there.
"""

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass

from ..base import ROOT, StageError
from ..cluster import spread
from ..console import console
from .plays import command
from .scenario import Scenario, is_finished

# A simulation ends with the worker that started it, since whoever does it again may want its ports.
ENDS_TOO = ("setpriv", "--pdeathsig", "KILL")
# Dask gives its workers one thread each. A pickled model knows how many threads it had, and is named by its hash.
THREADS = {"OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"}


@dataclass(frozen=True)
class Simulated:
    """What a worker sends back: what the simulation printed, and its files if it came to its end."""

    printed: str
    files: bytes


def simulate_elsewhere(scenarios: Sequence[Scenario]) -> None:
    """Simulate scenarios on the cluster; one that fails keeps no other from its end.

    Raises:
        StageError: at the end, if any has failed; all others are kept.
    """
    failed: list[Scenario] = []
    for scenario, simulated in spread(simulate_here, scenarios):
        for line in simulated.printed.splitlines():
            console.print(f"{scenario}: {line.strip()}", markup=False)
        if simulated.files:
            _unpack(simulated.files, scenario)
        if not is_finished(scenario):  # or the worker has other code
            failed.append(scenario)
    if failed:
        names = "; ".join(map(str, failed))
        raise StageError(
            f"{len(failed)} of {len(scenarios)} simulations failed, or their workers have other code: {names}"
        )


def simulate_here(scenario: Scenario) -> Simulated:
    """Simulate a scenario on this machine, which a worker does."""
    ends_too = ENDS_TOO if shutil.which(ENDS_TOO[0]) else ()
    asked = [*ends_too, *command(scenario)]
    environment = {name: value for name, value in os.environ.items() if name not in THREADS}
    done = subprocess.run(
        asked, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        return Simulated(done.stdout, b"")
    shutil.rmtree(scenario.workspace())  # a year of a stage can be a gigabyte
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(scenario.folder(), arcname="")
    return Simulated(done.stdout, packed.getvalue())


def _unpack(files: bytes, scenario: Scenario) -> None:
    shutil.rmtree(scenario.folder(), ignore_errors=True)  # of an earlier one
    with tarfile.open(fileobj=io.BytesIO(files)) as tar:
        tar.extractall(scenario.folder(), filter="data")

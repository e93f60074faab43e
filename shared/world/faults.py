"""Faults of the stage itself: its process killed, its disk full, its code broken, a slow candidate.

Each takes a stage and returns what came of it; all go through what the level itself has for it.
"""

import os
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from ..base import ROOT, StageError, git
from ..stack.process import run
from ..stack.stage import Stage
from .bad_models import deliver_candidate
from .source import SourceChange, apply_all

# How the time of departure becomes a feature, wherever a level says so, and the same with the hour lost or alone.
FEATURE = (
    ("departure.hour * 60 + departure.minute", "departure.hour * 0 + departure.minute"),
    ("(departure - day).astype(int)", "(departure - day).astype(int) % 60"),
    ("departure.dt.hour * 60 + departure.dt.minute", "departure.dt.hour * 0 + departure.dt.minute"),
)
BREAK = [SourceChange("**/*.py", right, wrong) for right, wrong in FEATURE]
MEND = [SourceChange("**/*.py", wrong, right) for right, wrong in FEATURE]
WORKFLOW = ".github/workflows/application.yml"


class Outcome(StrEnum):
    """What a fault did."""

    HAPPENED = "happened"
    REFUSED = "refused"  # the level kept it away
    NOT_APPLICABLE = "not applicable"  # the level has nothing that it could happen to


@dataclass(frozen=True)
class FaultResult:
    """What came of a fault."""

    text: str
    outcome: Outcome = Outcome.HAPPENED


def kill(stage: Stage) -> FaultResult:
    """Kill the process that serves."""
    if "PORT" not in stage.environment:
        return FaultResult("there is no serving process to kill", Outcome.NOT_APPLICABLE)
    port = int(stage.environment["PORT"])
    for process in stage.family():
        connections = process.net_connections("tcp")
        if any(
            connection.status == psutil.CONN_LISTEN and connection.laddr.port == port for connection in connections
        ):
            process.kill()
            return FaultResult("the serving process was killed")
    raise StageError(f"nothing of the stage listens on port {port}: nothing to kill")


def fill_disk(stage: Stage) -> FaultResult:
    """Let no process of the stage write a byte to any file, as on a full disk."""
    stage.disk_full = True
    _limit_files(stage, 0)
    return FaultResult("the disk is full")


def free_disk(stage: Stage) -> FaultResult:
    """Let the processes write again."""
    stage.disk_full = False
    _limit_files(stage, resource.RLIM_INFINITY)
    return FaultResult("the disk has room again")


def _limit_files(stage: Stage, largest: int) -> None:
    for process in stage.family(scripts=True)[stage.has_processes :]:  # not the one that keeps the logs
        try:
            process.rlimit(psutil.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
        except psutil.NoSuchProcess:
            continue  # it ended by itself


def break_feature(stage: Stage) -> FaultResult:
    """Change the code so that a feature is wrong, the way code is changed at this level."""
    if not (ROOT / stage.package / WORKFLOW).exists():
        broken = apply_all(stage.workspace / "server", *BREAK)
        return FaultResult(f"somebody changed {_names(broken)} where it runs")
    copy = stage.workspace / "change"
    git(ROOT, "clone", "--quiet", "--shared", str(ROOT), str(copy))
    broken = apply_all(copy / stage.package, *BREAK)
    somebody = ("-c", "user.name=somebody", "-c", "user.email=somebody@localhost")
    git(copy, *somebody, "commit", "--quiet", "-am", "Simplify")
    environment = os.environ | stage.environment | {"PYTHONPATH": str(copy)}
    tests = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not slow", "-p", "no:cacheprovider"]
    release = [sys.executable, "-m", stage.package, "deploy", "HEAD"]
    for who, command in (("the tests", [*tests, f"{stage.package}/tests"]), ("the release", release)):
        done = run(command, copy, environment)
        with (stage.workspace / "logs" / "change.log").open("a") as log:
            log.write(done.stdout + done.stderr)
        if done.returncode:
            return FaultResult(f"a change of {_names(broken)} was refused by {who}", Outcome.REFUSED)
    stage.wait_until_ready()
    return FaultResult(f"a change of {_names(broken)} was released")


def mend_feature(stage: Stage) -> FaultResult:
    """Take the change back, if it got anywhere."""
    if not (ROOT / stage.package / WORKFLOW).exists():
        try:
            mended = apply_all(stage.workspace / "server", *MEND)
        except StageError:
            return FaultResult("the change is gone already")
        return FaultResult(f"somebody mended {_names(mended)} where it runs")
    if (stage.workspace / "app" / "current").exists():
        stage.run("python -m ${LEVEL} deploy HEAD")
        return FaultResult("the change was taken back")
    return FaultResult("the change never got anywhere")


def _names(paths: list[Path]) -> str:
    return " and ".join(path.name for path in paths)


def train_slow_candidate(stage: Stage) -> FaultResult:
    """Train a candidate that predicts right and slowly, where the level delivers candidates by itself."""
    if not (ROOT / stage.package / "delivery").is_dir():
        text = "nothing at this level measures how fast a candidate is, and none is trained"
        return FaultResult(text, Outcome.NOT_APPLICABLE)
    if deliver_candidate(stage, "slow").delivered:
        return FaultResult("the slow candidate was delivered")
    return FaultResult("the slow candidate was refused by a gate", Outcome.REFUSED)


BEGIN: dict[str, Callable[[Stage], FaultResult]] = {
    "kill": kill,
    "fill_disk": fill_disk,
    "break_feature": break_feature,
    "train_slow_candidate": train_slow_candidate,
}
END: dict[str, Callable[[Stage], FaultResult]] = {"fill_disk": free_disk, "break_feature": mend_feature}

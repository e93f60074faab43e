"""What happens to a stage itself: its process killed, its disk full, its code broken, a slow candidate.

Each of them takes a stage and returns what came of it in words; all go through what the level itself has for it.
"""

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

from ..base import ROOT, StageError, git
from ..stack.stage import Stage
from .bad_models import plant

# How the time of departure becomes a feature, wherever a level says so, and the same with the hour lost or alone.
FEATURE = (
    ("departure.hour * 60 + departure.minute", "departure.hour * 0 + departure.minute"),
    ("(departure - day).astype(int)", "(departure - day).astype(int) % 60"),
    ("departure.dt.hour * 60 + departure.dt.minute", "departure.dt.hour * 0 + departure.dt.minute"),
)
WORKFLOW = ".github/workflows/application.yml"


def kill(stage: Stage) -> str:
    """Kill the process that answers."""
    if "PORT" not in stage.environment:
        return "there is no serving process to kill"
    for process in stage.family():
        listening = [each for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
        if any(each.laddr.port == int(stage.environment["PORT"]) for each in listening):
            process.kill()
            return "the serving process was killed"
    raise StageError(f"nothing of the stage listens on port {stage.environment['PORT']}: nothing to kill")


def fill_disk(stage: Stage) -> str:
    """Let no process of the stage write a byte to any file, as on a full disk."""
    stage.disk_full = True
    _limit_files(stage, 0)
    return "the disk is full"


def free_disk(stage: Stage) -> str:
    """Let them write again."""
    stage.disk_full = False
    _limit_files(stage, resource.RLIM_INFINITY)
    return "the disk has room again"


def _limit_files(stage: Stage, largest: int) -> None:
    for process in stage.family(scripts=True)[stage.has_processes :]:  # not the one that keeps the logs
        try:
            process.rlimit(psutil.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
        except psutil.NoSuchProcess:
            continue  # it ended by itself


def break_feature(stage: Stage) -> str:
    """Change the code so that a feature is wrong, the way code is changed at this level."""
    workflow = ROOT / stage.package / WORKFLOW
    if not workflow.exists():
        broken = _change(stage.workspace / "server", FEATURE)
        return f"somebody changed {broken} where it runs"
    copy = stage.workspace / "change"
    git(ROOT, "clone", "--quiet", "--shared", str(ROOT), str(copy))
    broken = _change(copy / stage.package, FEATURE)
    somebody = ("-c", "user.name=somebody", "-c", "user.email=somebody@localhost")
    git(copy, *somebody, "commit", "--quiet", "-am", "Simplify")
    environment = os.environ | stage.environment | {"PYTHONPATH": str(copy)}
    tests = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not slow", "-p", "no:cacheprovider"]
    for command in ([*tests, f"{stage.package}/tests"], [sys.executable, "-m", stage.package, "deploy", "HEAD"]):
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
        (stage.workspace / "logs" / "change.log").open("a").write(done.stdout + done.stderr)
        if done.returncode:
            return f"a change of {broken} was refused by {'the tests' if 'pytest' in command else 'the release'}"
    stage.wait_until_ready()
    return f"a change of {broken} was released"


def mend_feature(stage: Stage) -> str:
    """Take the change back, if it got anywhere."""
    if not (ROOT / stage.package / WORKFLOW).exists():
        try:
            mended = _change(stage.workspace / "server", [(wrong, right) for right, wrong in FEATURE])
            return f"somebody mended {mended} where it runs"
        except StageError:
            return "the change is gone already"
    if (stage.workspace / "app" / "current").exists():
        stage.run("python -m ${LEVEL} deploy HEAD")
        return "the change was taken back"
    return "the change never got anywhere"


def _change(folder: Path, changes: Iterable[tuple[str, str]]) -> str:
    """Make a change in every file that has something to change; return the names of those files."""
    broken = []
    for path in sorted(folder.rglob("*.py")):
        before = after = path.read_text()
        for old, new in changes:
            after = after.replace(old, new)
        if after != before:
            path.write_text(after)
            broken.append(path.name)
    if not broken:
        raise StageError(f"no file in {folder} computes the time of day as FEATURE says: nothing to change")
    return " and ".join(broken)


def train_slow_candidate(stage: Stage) -> str:
    """Train a candidate that answers right and slowly, where the level delivers candidates by itself."""
    if not (ROOT / stage.package / "delivery").is_dir():
        return "nothing at this level measures how fast a candidate is, and none is planted"
    delivered = plant(stage, "slow").delivered
    return "the slow candidate went on" if delivered else "the slow candidate was refused by a gate"


BEGIN: dict[str, Callable[[Stage], str]] = {
    "kill": kill,
    "fill_disk": fill_disk,
    "break_feature": break_feature,
    "train_slow_candidate": train_slow_candidate,
}
END: dict[str, Callable[[Stage], str]] = {"fill_disk": free_disk, "break_feature": mend_feature}

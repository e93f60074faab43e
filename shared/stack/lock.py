"""Whether a stage runs: a lock beside its workspace, which its process holds, and which says who that is.

Nothing of it needs a package: `make` asks before anything is installed.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ..base import StageError

PATIENCE = 0.5  # seconds: who only looks holds the lock for a moment


def path_of(workspace: Path) -> Path:
    """Return the lock of a workspace: outside of it, since a start empties it."""
    return workspace.with_name(f"{workspace.name}.lock")


def holder(workspace: Path) -> dict[str, Any] | None:
    """Return the process and the ports of the stage that runs in a workspace; None if none does."""
    try:
        file = path_of(workspace).open()
    except OSError:
        return None
    with file:
        return None if taken(file, fcntl.LOCK_SH) else _read(file)


def was_killed(workspace: Path) -> bool:
    """Tell whether the last stage of a workspace came to no end of its own; others may still run on its ports."""
    path = path_of(workspace)
    return path.exists() and bool(path.read_text()) and holder(workspace) is None


def name(workspace: Path, held: Mapping[str, Any]) -> str:
    """Say what runs."""
    ports = ", ".join(str(port) for port in held.get("ports", {}).values())
    return f"{workspace.name} runs: process {held.get('process')}" + (f", ports {ports}" if ports else "")


@contextmanager
def held(workspace: Path, ports: Mapping[str, int]) -> Iterator[None]:
    """Hold the lock of a workspace; whoever dies lets go of it.

    Raises:
        StageError: a stage runs there.
    """
    path = path_of(workspace)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _hold(path, workspace) as file:
        file.truncate(0)
        file.write(json.dumps({"process": os.getpid(), "ports": dict(ports)}))
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)  # while nobody else can hold it; only who is killed leaves it behind


def _hold(path: Path, workspace: Path) -> IO[str]:
    """Return the file of the lock, held; one that its last holder removed in the meantime locks nothing."""
    deadline = time.monotonic() + PATIENCE
    while True:
        file = path.open("a+")
        if taken(file, fcntl.LOCK_EX) and _is_at(path, file):
            return file
        if time.monotonic() > deadline:
            running = name(workspace, _read(file))
            raise StageError(f"{running}: end it with Ctrl-C where it was started, or use it from here")
        file.close()
        time.sleep(0.01)


def _is_at(path: Path, file: IO[str]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def taken(file: IO[str], kind: int) -> bool:
    """Take the lock, if nobody holds it."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file: IO[str]) -> dict[str, Any]:
    file.seek(0)
    try:
        return dict(json.loads(file.read()))
    except ValueError:
        return {}  # it is being written

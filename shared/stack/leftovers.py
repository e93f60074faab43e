"""What a killed stage leaves behind: processes that nobody stops any more, and that hold its ports."""

import os
from contextlib import suppress
from pathlib import Path

import psutil

SECONDS_TO_END = 10.0


def end(workspace: Path) -> int:
    """End every process whose environment names this workspace as its stage; return how many there were."""
    left = [process for process in psutil.process_iter() if _stage(process) == str(workspace)]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(left, timeout=SECONDS_TO_END)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=SECONDS_TO_END)
    return len(left)


def _stage(process: psutil.Process) -> str | None:
    """Return the workspace that a process works in; this one, and those of other users, work in none."""
    if process.pid == os.getpid():
        return None
    try:
        return process.environ().get("STAGE")
    except psutil.Error:
        return None

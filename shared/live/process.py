"""The process that serves the live page: it begins and ends with the stage."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..base import ROOT
from ..stack import ports
from ..stack.stage import Stage

SECONDS_TO_STOP = 10.0


@contextmanager
def shown(stage: Stage) -> Iterator[str]:
    """Serve the live page of a stage while this is entered; yield its address."""
    port = ports.choose(ports.LIVE, stage.number)["LIVE_PORT"]
    settings = {
        "LIVE_PORT": str(port),
        "NICEGUI_STORAGE_PATH": str(stage.workspace / "live"),
        "MATPLOTLIB": "false",
    }
    with (stage.workspace / "logs" / "live.out").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "shared", "live", str(stage.number)],
            cwd=ROOT,
            env=os.environ | stage.environment | settings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C reaches this process, which then ends it with all that it plays
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

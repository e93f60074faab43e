"""Run a command to its end, and take it down with everything it started when this process is told to end."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

SECONDS_TO_END = 60.0


def run(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    text: str = "",
    seconds: float | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Run a command; return its exit code and what it printed.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        environment: all of its environment.
        text: its standard input.
        seconds: how long it may take; None: as long as it does.

    Raises:
        subprocess.TimeoutExpired: it took longer; it has been ended.
    """
    piped = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdin=piped, stdout=piped, stderr=piped, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            output, problems = process.communicate(text, timeout=seconds)
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            process.communicate(timeout=SECONDS_TO_END)
            raise
    return subprocess.CompletedProcess(command, process.returncode, output, problems)


def last_line(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the last line that a command printed, of its errors if there are any."""
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else "no reason given"

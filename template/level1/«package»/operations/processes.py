"""The processes of a stage: what the process manager does with them, and what the application says."""

import http.client
import json
import os
import subprocess
import urllib.request
from typing import Any

from ..config.version import PACKAGE
from ..errors import StageError
from .polling import wait_until

SECONDS_TO_COME_UP = 30.0


class DeployError(StageError):
    """Nothing was released, or the release did not come up and the one before it is back."""


def supervisorctl(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Ask something of the process manager, which calls a process started after a second of life."""
    command = ["supervisorctl", "-c", str(PACKAGE / "supervisord.conf"), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def check_manager() -> None:
    """Ask the process manager whether it is there, before anything is released.

    Raises:
        DeployError: it does not answer.
    """
    if supervisorctl("pid").returncode:
        raise DeployError("the process manager does not answer, so nothing was released: start the stage again")


def process_id(program: str) -> int:
    """Return the process of a program, 0 for none."""
    answer = supervisorctl("pid", program).stdout.strip()
    return int(answer) if answer.isdigit() else 0


def comes_up(commit: str, needs_model: bool = False, process: int | None = None) -> bool:
    """Wait until the application says that it runs `commit`, and has a model if it needs one; tell if in time.

    Args:
        commit: what was released.
        needs_model: whether the one before had a model.
        process: the process that must say so; None: whichever answers.
    """

    def is_up() -> bool:
        version = ask_version()
        is_new = version.get("application") == commit and process in (None, version.get("process"))
        return is_new and bool(version.get("model") or not needs_model)

    return wait_until(is_up, SECONDS_TO_COME_UP)


def ask_version() -> dict[str, Any]:
    """Return what the application says at `/version`, or nothing: no answer yet, or none that is JSON."""
    url = f"http://127.0.0.1:{os.environ['PORT']}/version"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            version = json.load(answer)
    except (OSError, ValueError, http.client.HTTPException):
        return {}
    return version if isinstance(version, dict) else {}

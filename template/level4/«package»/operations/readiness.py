"""Wait for the servers that the pipeline writes to, and for the one that it monitors."""

import json
import math
import os
import urllib.request
from typing import Any

from ..errors import StageError
from .polling import wait_until

SECONDS_TO_START, SECONDS_TO_FOLLOW = 90.0, 60.0


class NoServerError(StageError):
    """A server that the pipeline needs does not answer."""


def wait_for_servers() -> None:
    """Wait until tracking, orchestration and the application answer, since they may still be starting.

    Raises:
        NoServerError: one of them did not answer in time.
    """
    health = [
        f"{os.environ['MLFLOW_TRACKING_URI']}/health",
        f"{os.environ['PREFECT_API_URL']}/health",
        f"{os.environ['APPLICATION']}/healthz",  # the daily check reads its metrics
    ]
    if not wait_until(lambda: all(map(_answers, health)), SECONDS_TO_START):
        silent = [address for address in health if not _answers(address)]
        raise NoServerError(f"{' and '.join(silent)} does not answer: start the stage first, or see its logs")


def wait_for_champion() -> None:
    """Wait, as long as it takes, until a model serves: before that there is nothing to monitor."""
    wait_until(lambda: bool(_version().get("model")), math.inf)


def wait_until_served(what: str, day: str | None) -> None:
    """Wait until the application answers with the calibration, or the repair, of a day; None: with none.

    Raises:
        NoServerError: it did not follow the registry in time.
    """
    if not wait_until(lambda: _version().get(what, "") == day, SECONDS_TO_FOLLOW):
        raise NoServerError(f"the application does not answer with the {what} of {day}: see its logs")


def _version() -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"{os.environ['APPLICATION']}/version", timeout=5) as answer:  # noqa: S310 - ours
            version: dict[str, Any] = json.load(answer)
            return version
    except OSError:
        return {}


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own servers
            return bool(answer.status == 200)
    except OSError:
        return False

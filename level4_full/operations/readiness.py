"""Wait for the servers that the pipeline writes to, and for the one that it monitors."""

import json
import math
import os
import urllib.request

from ..errors import StageError
from .polling import wait_until

SECONDS_TO_START = 90.0


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
    address = f"{os.environ['APPLICATION']}/version"
    wait_until(lambda: _has_champion(address), math.inf)


def _has_champion(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own servers
            return bool(json.load(answer)["model"])
    except OSError:
        return False


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own servers
            return bool(answer.status == 200)
    except OSError:
        return False

"""The servers that the pipeline writes to, and the one it watches."""

import json
import os
import time
import urllib.request

from ..errors import StageError

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
        f"{os.environ['APPLICATION']}/healthz",  # the watch asks it for its metrics
    ]
    deadline = time.monotonic() + SECONDS_TO_START
    for address in health:
        while not _answers(address):
            if time.monotonic() > deadline:
                raise NoServerError(f"{address} does not answer: start the stage first, or see its logs")
            time.sleep(0.1)


def wait_for_champion() -> None:
    """Wait, as long as it takes, until a model answers: there is nothing to watch before."""
    address = f"{os.environ['APPLICATION']}/version"
    while not _has_champion(address):
        time.sleep(0.5)


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

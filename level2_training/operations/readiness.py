"""The servers that the pipeline writes to."""

import os
import time
import urllib.request

from ..errors import StageError

SECONDS_TO_START = 90.0


class NoServerError(StageError):
    """A server that the pipeline needs does not answer."""


def wait_for_servers() -> None:
    """Wait until tracking and orchestration answer, since both may still be starting.

    Raises:
        NoServerError: one of them did not answer in time.
    """
    health = [f"{os.environ['MLFLOW_TRACKING_URI']}/health", f"{os.environ['PREFECT_API_URL']}/health"]
    deadline = time.monotonic() + SECONDS_TO_START
    for address in health:
        while not _answers(address):
            if time.monotonic() > deadline:
                raise NoServerError(f"{address} does not answer: start the stage first, or see its logs")
            time.sleep(0.1)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own servers
            return bool(answer.status == 200)
    except OSError:
        return False

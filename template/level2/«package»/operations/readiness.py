"""Wait for the servers that the pipeline writes to."""

import os
import urllib.request

from ..errors import StageError
from .polling import wait_until

SECONDS_TO_START = 90.0


class NoServerError(StageError):
    """A server that the pipeline needs does not answer."""


def wait_for_servers() -> None:
    """Wait until tracking and orchestration answer, since both may still be starting.

    Raises:
        NoServerError: one of them did not answer in time.
    """
    health = [f"{os.environ['MLFLOW_TRACKING_URI']}/health", f"{os.environ['PREFECT_API_URL']}/health"]
    if not wait_until(lambda: all(map(_answers, health)), SECONDS_TO_START):
        silent = [address for address in health if not _answers(address)]
        raise NoServerError(f"{' and '.join(silent)} does not answer: start the stage first, or see its logs")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own servers
            return bool(answer.status == 200)
    except OSError:
        return False

"""Wait for the servers that the pipeline writes to, and for the one that it monitors."""

import math
import os
import urllib.request
from typing import Any

import httpx

from ..errors import StageError
from .polling import wait_until
from .replicas import ask

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
    wait_until(lambda: any(version.get("model") for version in _versions()), math.inf)


def wait_until_served(what: str, day: str | None) -> None:
    """Wait until every replica answers with the calibration, or the repair, of a day; None: with none.

    Raises:
        NoServerError: it did not follow the registry in time.
    """

    def is_served() -> bool:
        versions = _versions()
        return bool(versions) and all(version.get(what, "") == day for version in versions)

    if not wait_until(is_served, SECONDS_TO_FOLLOW):
        raise NoServerError(f"the application does not answer with the {what} of {day}: see its logs")


def _versions() -> list[dict[str, Any]]:
    """Return what each replica of the application says about itself; none does while one is silent."""
    try:
        return [answer.json() for answer in ask(os.environ["APPLICATION"], "/version")]
    except (httpx.HTTPError, ValueError):
        return []


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own servers
            return bool(answer.status == 200)
    except OSError:
        return False

"""How a service follows the registry: by its own account, and not before each of its replicas says so."""

import os
from contextlib import suppress
from typing import Any

import httpx

from ..errors import RefusedError, StageError
from ..operations.polling import wait_until
from ..operations.replicas import ask
from ..registry import models

SECONDS_TO_FOLLOW = 60.0


class NotFollowedError(StageError):
    """A service did not follow the registry in time; it may when it is tried again."""


class NotTakenError(NotFollowedError, RefusedError):
    """A service refused to load a version."""


def wait_for(address: str, **arms: str | None) -> None:
    """Wait until each replica at `address` says that these versions are its arms; None: it has none.

    Raises:
        NotFollowedError: not each did in time, or one refuses a version.
    """
    status = "no answer"

    def follows() -> bool:
        nonlocal status
        try:
            replicas: list[dict[str, Any]] = [answer.json() for answer in ask(address, "/version")]
            said = [each["problem"] or ", ".join(f"{arm} is {each[arm]}" for arm in arms) for each in replicas]
        except (httpx.HTTPError, ValueError, KeyError):  # no answer yet, or that of another program
            return False
        status = "; ".join(dict.fromkeys(said))
        for problem in said:
            if any(problem.startswith(f"version {version}:") for version in arms.values()):
                raise NotTakenError(f"the service refuses {problem}")
        return all(
            (each[arm] and models.number_of(each[arm])) == version
            for each in replicas
            for arm, version in arms.items()
        )

    if not wait_until(follows, SECONDS_TO_FOLLOW):
        raise NotFollowedError(f"the service did not follow to {arms} within {SECONDS_TO_FOLLOW:.0f} s: {status}")


def problem_of(version: str) -> str:
    """Return why a replica does not use a version that it should; empty if none says anything about it."""
    problems = [str(said["problem"]) for said in _say()]
    return next((problem for problem in problems if problem.startswith(f"version {version}:")), "")


def goes_on() -> str:
    """Return the name of the model that serves by the application's own account; empty if none does."""
    return next((str(said["model"]) for said in _say() if said["model"]), "")


def _say() -> list[dict[str, Any]]:
    """Return what each replica says about itself; none does while one is silent."""
    with suppress(httpx.HTTPError, ValueError):
        return [answer.json() for answer in ask(os.environ["APPLICATION"], "/version")]
    return []

"""Who serves: the moves between candidate, staging, challenger and champion, all written to the registry."""

import os
import time
from contextlib import suppress
from typing import Any

import httpx
from mlflow import MlflowClient

from ..errors import RefusedError, StageError
from ..registry import history, models
from ..registry.models import CHAMPION, MODEL

CHALLENGER, STAGING = "challenger", "staging"
SECONDS_TO_FOLLOW = 60.0


class NotFollowedError(StageError):
    """A service did not take up what the registry says; it may when it is asked again."""


class NotTakenError(NotFollowedError, RefusedError):
    """A service has looked at a version and does not take it."""


def stage(version: str) -> None:
    """Put a version on staging and wait until it answers there.

    Raises:
        NotFollowedError: staging refused it, with its reason, or did not answer; it goes on with what it held.
    """
    before = models.version_of(STAGING)
    models.set_alias(STAGING, version)
    try:
        _wait(os.environ["STAGING"], model=version)
    except NotFollowedError:
        models.delete_alias(STAGING) if before is None else models.set_alias(STAGING, before)
        raise


def release(version: str, share: float) -> str:
    """Release a certified version: to all traffic if nothing serves yet, else to a share of it; say which.

    Safe to do again after the process died on its way.

    Raises:
        NotFollowedError: the service refused it, or did not answer; the rollout has been taken back.
        StageError: there is no such share.
    """
    if not 0 < share <= 1:
        raise StageError(
            f"challenger_share is {share}: choose more than 0 and at most 1, or nothing is ever known"
        )
    if models.version_of(CHAMPION) in (None, version):
        return _release_first(version)
    if models.version_of(CHALLENGER) not in (None, version):
        withdraw(f"version {version} takes its place")
    client = MlflowClient()
    number = int(models.tags().get("experiment", "0-0").partition("-")[2]) + 1
    client.set_registered_model_tag(MODEL, "experiment", f"{version}-{number}")
    client.set_registered_model_tag(MODEL, "challenger_share", str(share))
    models.set_alias(CHALLENGER, version)
    try:
        _wait(os.environ["APPLICATION"], challenger=version)
    except NotTakenError as error:
        withdraw(str(error))
        raise
    except NotFollowedError:
        models.delete_alias(CHALLENGER)  # nobody heard of it, so nothing has happened to it
        raise
    history.record(version, history.CHALLENGES, f"{share:.0%} of traffic")
    return f"version {version} is challenger with {share:.0%} of traffic"


def _release_first(version: str) -> str:
    """Give a version all traffic where no other serves."""
    models.set_alias(CHAMPION, version)
    try:
        _wait(os.environ["APPLICATION"], model=version)
    except NotFollowedError:
        models.delete_alias(CHAMPION)
        raise
    history.record(version, history.FIRST, "nothing served before")
    return f"version {version} is champion: nothing served before"


def promote(why: str) -> str:
    """Give the challenger all traffic."""
    challenger = models.version_of(CHALLENGER)
    assert challenger is not None  # noqa: S101 - there is no experiment without one
    models.set_alias(CHAMPION, challenger)
    history.record(challenger, history.PROMOTED, why)
    models.delete_alias(CHALLENGER)  # last: until then this is done again if the process dies
    _wait(os.environ["APPLICATION"], model=challenger, challenger=None)
    return f"version {challenger} is champion: {why}"


def withdraw(why: str) -> str:
    """Take the challenger out of traffic; the champion has all of it."""
    challenger = models.version_of(CHALLENGER)
    if challenger is None:
        return "there is no challenger"
    models.delete_alias(CHALLENGER)
    history.record(challenger, history.WITHDRAWN, why)
    with suppress(NotFollowedError):  # it is out, whether the service hears of it now or when it is back
        _wait(os.environ["APPLICATION"], challenger=None)
    return f"version {challenger} is withdrawn: {why}"


def rollback(why: str) -> str:
    """Bring the champion before back, and end any experiment.

    It goes back along the history, and never to a version that was itself rolled back from.
    """
    left = models.version_of(CHAMPION)
    previous = history.champion_before(history.events(), left)
    if left is None or previous is None:
        return "there is no champion before this one that was not rolled back from"
    withdraw(why)
    history.record(left, history.LEFT, why)  # first: if the process dies here, nothing brings it back
    models.set_alias(CHAMPION, previous)
    _wait(os.environ["APPLICATION"], model=previous, challenger=None)
    history.record(previous, history.BACK, why)
    return f"version {previous} is champion again: {why}"


def _wait(address: str, **arms: str | None) -> None:
    """Wait until the service at `address` says that these versions are its arms; None is nobody."""
    deadline, said = time.monotonic() + SECONDS_TO_FOLLOW, "no answer"
    while time.monotonic() < deadline:
        try:
            answer: dict[str, Any] = httpx.get(f"{address}/version", timeout=5).json()
            if all((answer[arm] and models.number_of(answer[arm])) == version for arm, version in arms.items()):
                return
            said = answer["problem"] or ", ".join(f"{arm} is {answer[arm]}" for arm in arms)
            if any(said.startswith(f"version {version}:") for version in arms.values()):
                raise NotTakenError(f"the service refuses {said}")
        except (httpx.HTTPError, ValueError, KeyError):  # no answer yet, or somebody else's
            pass
        time.sleep(0.1)
    raise NotFollowedError(f"the service did not take up {arms} in {SECONDS_TO_FOLLOW:.0f} s: {said}")

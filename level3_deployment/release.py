"""Who serves: the moves between candidate, staging, challenger and champion, all written to the registry."""

import os
import time
from datetime import UTC, datetime
from typing import Any

import httpx
from mlflow import MlflowClient

from . import registry
from .errors import RefusedError
from .registry import CHAMPION, MODEL

CHALLENGER, STAGING = "challenger", "staging"
SECONDS_TO_FOLLOW = 60.0


class NotFollowedError(RefusedError):
    """A service did not take up what the registry says."""


def stage(version: str) -> None:
    """Put a version on staging and wait until it answers there.

    Raises:
        NotFollowedError: staging refused it, with its reason.
    """
    registry.set_alias(STAGING, version)
    _wait(os.environ["STAGING"], "model", version)


def release(version: str, share: float) -> str:
    """Release a certified version: to all traffic if nothing serves yet, else to a share of it; say which.

    Raises:
        NotFollowedError: the service refused it; the rollout has been taken back.
    """
    if registry.champion() is None:
        registry.set_alias(CHAMPION, version)
        _wait(os.environ["APPLICATION"], "model", version)
        _record(version, "released", "nothing served before")
        return f"version {version} is champion: nothing served before"
    if registry.version_of(CHALLENGER):
        withdraw(f"version {version} takes its place")
    client = MlflowClient()
    started = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    client.set_registered_model_tag(MODEL, "experiment", f"{version}-{started}")
    client.set_registered_model_tag(MODEL, "challenger_share", str(share))
    registry.set_alias(CHALLENGER, version)
    try:
        _wait(os.environ["APPLICATION"], "challenger", version)
    except NotFollowedError as error:
        withdraw(str(error))
        raise
    _record(version, "released", f"challenger with {share:.0%} of traffic")
    return f"version {version} is challenger with {share:.0%} of traffic"


def promote(why: str) -> str:
    """Give the challenger all traffic."""
    challenger, champion = registry.version_of(CHALLENGER), registry.version_of(CHAMPION)
    assert challenger is not None  # noqa: S101 - there is no experiment without one
    if champion != challenger:  # else this was begun before, and the process died
        MlflowClient().set_registered_model_tag(MODEL, "previous", champion or "")
    registry.set_alias(CHAMPION, challenger)
    registry.delete_alias(CHALLENGER)
    _wait(os.environ["APPLICATION"], "model", challenger)
    _record(challenger, "promoted", why)
    return f"version {challenger} is champion: {why}"


def withdraw(why: str) -> str:
    """Take the challenger out of traffic; the champion has all of it."""
    challenger = registry.version_of(CHALLENGER)
    if challenger is None:
        return "there is no challenger"
    registry.delete_alias(CHALLENGER)
    _record(challenger, "withdrawn", why)
    return f"version {challenger} is withdrawn: {why}"


def rollback(why: str) -> str:
    """Bring the champion before back, and end any experiment."""
    previous = registry.tags().get("previous")
    if not previous:
        return "there is no champion before this one"
    withdraw(why)
    left = registry.version_of(CHAMPION)
    registry.set_alias(CHAMPION, previous)
    MlflowClient().set_registered_model_tag(MODEL, "previous", left or "")
    _wait(os.environ["APPLICATION"], "model", previous)
    _record(previous, "rolled back to", why)
    return f"version {previous} is champion again: {why}"


def _record(version: str, what: str, why: str) -> None:
    """Write down what happened to a version, when and why."""
    client = MlflowClient()
    client.set_model_version_tag(MODEL, version, what.replace(" ", "_"), f"{datetime.now(UTC).isoformat()} {why}")


def _wait(door: str, arm: str, version: str) -> None:
    """Wait until the service at `door` says that `version` is its `arm`."""
    deadline, said = time.monotonic() + SECONDS_TO_FOLLOW, "no answer"
    while time.monotonic() < deadline:
        try:
            answer: dict[str, Any] = httpx.get(f"{door}/version", timeout=5).json()
            if str(answer[arm] or "").startswith(f"{MODEL}/{version}@"):
                return
            said = answer["problem"] or f"{arm} is {answer[arm]}"
            if said.startswith(f"version {version}:"):
                raise NotFollowedError(f"the service refuses {said}")
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise NotFollowedError(f"the service did not take up version {version} in {SECONDS_TO_FOLLOW:.0f} s: {said}")

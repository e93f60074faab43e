"""Promotion: the moves of a version between staging, challenger and champion, each written to the registry."""

import os
from contextlib import suppress
from datetime import date

from ..config import paths
from ..config.params import ExperimentParams
from ..config.problem import ROWS
from ..errors import StageError
from ..registry import history, models
from ..registry.lifecycle import State
from ..registry.models import CHAMPION
from .following import NotFollowedError, NotTakenError, wait_for

CHALLENGER, PREVIOUS, STAGING = "challenger", "previous", "staging"


class NoPreviousError(StageError):
    """There is no champion to go back to."""


def stage(version: str) -> None:
    """Put a version on staging and wait until it serves there.

    Raises:
        NotFollowedError: staging refused it, with its reason, or did not answer; it keeps the version it had.
    """
    before = models.version_of(STAGING)
    models.set_alias(STAGING, version)
    try:
        wait_for(os.environ["STAGING"], model=version)
    except NotFollowedError:
        models.set_alias(STAGING, before)
        raise


def release(version: str, experiment: ExperimentParams) -> str:
    """Release a certified version: to all traffic if there is no champion, else to a share of it; say which.

    It can be repeated after the process died half-way.

    Raises:
        RefusedError: nothing leads there from its state.
        NotFollowedError: the service refused it, or did not answer; the rollout has been taken back.
    """
    if models.version_of(CHAMPION) in (None, version):
        return _release_first(version)
    history.check(version, State.CHALLENGER)
    if models.version_of(CHALLENGER) not in (None, version):
        withdraw(f"version {version} takes its place")
    number = int(models.tags().get("experiment", "0-0").partition("-")[2]) + 1
    models.tag_model("experiment", f"{version}-{number}")
    models.tag_model("experiment_began", newest_day())
    models.tag_model("experiment_days", str(experiment.days))
    models.tag_model("challenger_share", str(experiment.challenger_share))
    models.set_alias(CHALLENGER, version)
    try:
        wait_for(os.environ["APPLICATION"], challenger=version)
    except NotTakenError as error:
        withdraw(str(error))
        raise
    except NotFollowedError:
        models.set_alias(CHALLENGER, None)  # it has served nobody, so its history stays empty
        raise
    history.record(version, State.CHALLENGER, f"{experiment.challenger_share:.0%} of traffic")
    return f"version {version} is challenger with {experiment.challenger_share:.0%} of traffic"


def newest_day() -> str:
    """Return the newest day (`2013-03-01`) whose instances have been collected: a release is in front of them."""
    return max((path.stem for path in (paths.DATA / ROWS).glob("*.parquet")), default="")


def _release_first(version: str) -> str:
    """Give the first version all traffic."""
    history.check(version, State.CHAMPION)
    models.set_alias(CHAMPION, version)
    try:
        wait_for(os.environ["APPLICATION"], model=version)
    except NotFollowedError:
        models.set_alias(CHAMPION, None)
        raise
    history.record(version, State.CHAMPION, "there was no champion before")
    return f"version {version} is champion: there was no champion before"


def promote(why: str, day: date) -> str:
    """Give the challenger all traffic; the champion that it replaces predicts on in its shadow."""
    challenger, champion = models.version_of(CHALLENGER), models.version_of(CHAMPION)
    assert challenger is not None  # noqa: S101 - there is no experiment without one
    history.check(challenger, State.PROMOTED)
    if champion != challenger:  # or this was begun before, and the process died
        models.set_alias(PREVIOUS, champion)
        models.tag_model("promoted_on", day.isoformat())
        models.set_alias(CHAMPION, challenger)
    history.record(challenger, State.PROMOTED, why)
    models.set_alias(CHALLENGER, None)  # last: until then this is done again if the process dies
    wait_for(os.environ["APPLICATION"], model=challenger, challenger=None)
    return f"version {challenger} is champion: {why}"


def withdraw(why: str) -> str:
    """Take the challenger out of traffic; the champion has all of it."""
    challenger = models.version_of(CHALLENGER)
    if challenger is None:
        return "there is no challenger"
    models.set_alias(CHALLENGER, None)
    history.record(challenger, State.WITHDRAWN, why)
    with suppress(NotFollowedError):  # it is withdrawn, even if the service follows later
        wait_for(os.environ["APPLICATION"], challenger=None)
    return f"version {challenger} is withdrawn: {why}"


def rollback(why: str) -> str:
    """Bring the previous champion back, and end any experiment.

    A version that was itself rolled back from is passed over.

    Raises:
        NoPreviousError: there is none.
    """
    left = models.version_of(CHAMPION)
    previous = history.champion_before(history.read(), left)
    if previous is None:
        raise NoPreviousError("there is no earlier champion to go back to: `history` lists who was one")
    withdraw(why)
    if left:  # or somebody deleted it from the registry
        history.record(left, State.ROLLED_BACK_FROM, why)  # first: if it dies here, nothing brings it back
    models.set_alias(CHAMPION, previous)
    models.set_alias(PREVIOUS, None)
    wait_for(os.environ["APPLICATION"], model=previous, challenger=None)
    history.record(previous, State.ROLLED_BACK_TO, why)
    return f"version {previous} is champion again: {why}"

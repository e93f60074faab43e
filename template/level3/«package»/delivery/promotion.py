"""Promotion: the moves of a version between staging, challenger and champion, each written to the registry."""

import os
from contextlib import suppress
from datetime import date
from typing import Any

import httpx

from ..config import paths
from ..config.params import ExperimentParams
from ..config.problem import ROWS
from ..errors import RefusedError, StageError
from ..operations.polling import wait_until
from ..operations.replicas import ask
from ..registry import history, models
from ..registry.lifecycle import State
from ..registry.models import CHAMPION

CHALLENGER, PREVIOUS, STAGING = "challenger", "previous", "staging"
SECONDS_TO_FOLLOW = 60.0


class NotFollowedError(StageError):
    """A service did not follow the registry in time; it may when it is tried again."""


class NotTakenError(NotFollowedError, RefusedError):
    """A service refused to load a version."""


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
        _wait(os.environ["STAGING"], model=version)
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
        _wait(os.environ["APPLICATION"], challenger=version)
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
        _wait(os.environ["APPLICATION"], model=version)
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
    _wait(os.environ["APPLICATION"], model=challenger, challenger=None)
    return f"version {challenger} is champion: {why}"


def withdraw(why: str) -> str:
    """Take the challenger out of traffic; the champion has all of it."""
    challenger = models.version_of(CHALLENGER)
    if challenger is None:
        return "there is no challenger"
    models.set_alias(CHALLENGER, None)
    history.record(challenger, State.WITHDRAWN, why)
    with suppress(NotFollowedError):  # it is withdrawn, even if the service follows later
        _wait(os.environ["APPLICATION"], challenger=None)
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
    _wait(os.environ["APPLICATION"], model=previous, challenger=None)
    history.record(previous, State.ROLLED_BACK_TO, why)
    return f"version {previous} is champion again: {why}"


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


def _wait(address: str, **arms: str | None) -> None:
    """Wait until each replica at `address` says that these versions are its arms; None: it has none."""
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

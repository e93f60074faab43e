"""The history of all versions: every transition, when and why; none is ever overwritten."""

from datetime import UTC, datetime

from ..errors import RefusedError
from . import models
from .lifecycle import CROWNED, FORWARD, PREFIX, UNDELIVERED, WAYS_BACK, State, Transition, state_of, transitions


def record(version: str, state: State, why: str) -> None:
    """Record the transition of a version to a state just now, if the life cycle knows it."""
    check(version, state)
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    models.tag(version, f"{PREFIX}{at}", f"{state}: {why}")


def check(version: str, to: State) -> None:
    """Check that a version may move to a state; a RefusedError names both states if it may not."""
    if to not in {now := state(version), *FORWARD.get(now, ()), *WAYS_BACK}:
        raise RefusedError(f"version {version} is {now.name}, and no move leads from there to {to.name}")


def read() -> list[Transition]:
    """Return all transitions of all versions, in order."""
    return sorted(
        past for version in models.versions() for past in transitions(str(version.version), version.tags)
    )


def state(version: str) -> State:
    """Return the state of a version."""
    return state_of(models.version(version).tags)


def undelivered() -> list[str]:
    """Return the versions whose delivery has not come to an end, oldest first."""
    return [str(version.version) for version in models.versions() if state_of(version.tags) in UNDELIVERED]


def champion_before(past: list[Transition], champion: str | None) -> str | None:
    """Return the last champion before this one that nobody has rolled back from."""
    left = {transition.version for transition in past if transition.state is State.ROLLED_BACK_FROM} | {champion}
    champions = [
        transition.version for transition in past if transition.state in CROWNED and transition.version not in left
    ]
    return champions[-1] if champions else None

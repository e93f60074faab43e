"""What happened to the versions, when and why: a tag of the registry for each event, and none is overwritten."""

from dataclasses import dataclass
from datetime import UTC, datetime

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from . import models

PREFIX = "history."

CHALLENGES, PROMOTED, WITHDRAWN = "became challenger", "promoted", "withdrawn"
FIRST, LEFT, BACK = "became champion", "rolled back from", "rolled back to"
CROWNED = {FIRST, PROMOTED, BACK}


@dataclass(frozen=True, order=True)
class Event:
    """One thing that happened to a version."""

    at: str  # UTC
    version: str
    what: str
    why: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.at[:19]}Z  version {self.version} {self.what}: {self.why}"


def record(version: str, what: str, why: str) -> None:
    """Write down what happened to a version just now."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    MlflowClient().set_model_version_tag(models.MODEL, version, f"{PREFIX}{at}", f"{what}: {why}")


def events() -> list[Event]:
    """Return all that happened, in order."""
    return _events_of(models.versions())


def _events_of(versions: list[ModelVersion]) -> list[Event]:
    found = []
    for each in versions:
        for name, said in each.tags.items():
            if name.startswith(PREFIX):
                what, _, why = said.partition(": ")
                found.append(Event(name.removeprefix(PREFIX), str(each.version), what, why))
    return sorted(found)


def champion_before(past: list[Event], champion: str | None) -> str | None:
    """Return the last champion before this one that nobody has rolled back from."""
    left = {event.version for event in past if event.what == LEFT} | {champion}
    return next(
        (each.version for each in reversed(past) if each.what in CROWNED and each.version not in left), None
    )


def undelivered() -> list[str]:
    """Return the versions whose delivery has not come to an end: not released, not refused, awaiting nobody."""
    versions = models.versions()
    ended = {event.version for event in _events_of(versions)}
    return [
        str(each.version)
        for each in versions
        if str(each.version) not in ended and not {"refused", "awaits"} & set(each.tags)
    ]

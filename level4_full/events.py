"""What a daily run reports: one line of JSON a day, with an event for everything that happened."""

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What can happen on a day. Programs go by the kind and the facts of an event, people by its text."""

    COLLECTED = "collected"
    FAILED = "failed"
    TRAINED = "trained"
    REFUSED = "refused"
    DELIVERED = "delivered"
    INTERRUPTED = "interrupted"
    REVIEWED = "reviewed"
    PROMOTED = "promoted"
    WITHDRAWN = "withdrawn"
    ROLLED_BACK = "rolled back"
    CHECKED = "checked"
    CALIBRATED = "calibrated"
    REFIT = "refit in the shadow"
    CHANGED = "changed"
    ALARM = "alarm"
    HELD = "held"
    RESUMED = "resumed"


@dataclass(frozen=True)
class Event:
    """One thing that happened."""

    kind: Kind
    text: str
    facts: dict[str, Any] = field(default_factory=dict)


def as_line(day: str, events: list[Event]) -> str:
    """Return the events of a day as one line of JSON."""
    return json.dumps({"day": day, "events": [asdict(event) for event in events]}, default=str)

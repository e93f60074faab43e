"""An alarm: its cause and the evidence for it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MAX_FACTS = 3  # of the evidence, in words


class Cause(StrEnum):
    """The cause of an alarm; the first five may start a training, as its trigger."""

    PERFORMANCE = "performance"
    DRIFT = "drift"
    NEW_DATA = "new_data"
    STALENESS = "staleness"
    SCHEDULE = "schedule"
    UNREADABLE_FEED = "unreadable feed"
    SKEW = "skew"
    STALE_FEED = "stale feed"
    FAILURES = "failures"
    RECOVERED = "recovered"


@dataclass(frozen=True)
class Alarm:
    """A cause with its evidence, by name."""

    cause: Cause
    evidence: dict[str, Any]

    @property
    def summary(self) -> str:
        """Return the first facts of the evidence in words."""
        facts = [f"{name} {value}" for name, value in self.evidence.items()]
        if (more := len(facts) - MAX_FACTS) > 0:
            facts[MAX_FACTS:] = [f"and {more} more"]
        return ", ".join(facts)

    def __str__(self) -> str:
        """Return the alarm in words."""
        return f"{self.cause} ({self.summary})"

"""Repairs: faults of today's feed that are undone in every request, until the feed is as it was."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..data.faults import TRANSFORMS
from ..data.schema import Flight

# The names that columns have in requests today: a request is read before a rollout is chosen.
renamed: dict[str, str] = {}


@dataclass(frozen=True)
class Repair:
    """What is undone, and since which day."""

    id: str | None = None  # the day it was made; None: there is none
    renamed: Mapping[str, str] = field(default_factory=dict)  # the published name of a column, and its name
    transforms: tuple[str, ...] = ()  # known faults

    @classmethod
    def read(cls, text: str) -> "Repair":
        """Read the repair as the registry keeps it, and take requests with its names from now on.

        Raises:
            KeyError: it names a fault that nobody knows.
        """
        content = json.loads(text)
        repair = cls(content.get("id"), content.get("renamed", {}), tuple(content.get("transforms", ())))
        for name in repair.transforms:
            TRANSFORMS[name]
        renamed.clear()
        renamed.update(repair.renamed)
        return repair

    def apply(self, flights: list[Flight]) -> tuple[list[Flight], list[dict[str, Any]]]:
        """Return the flights with the known faults undone, and of each the columns that are not as requested."""
        if not self.transforms:
            return flights, [{}] * len(flights)
        changes = [self._changes(flight) for flight in flights]
        return [flight.model_copy(update=each) for flight, each in zip(flights, changes, strict=True)], changes

    def _changes(self, flight: Flight) -> dict[str, Any]:
        undone = (item for name in self.transforms for item in TRANSFORMS[name].items())
        return {column: undo(value) for column, undo in undone if (value := getattr(flight, column)) is not None}


def with_right_names(flights: Any) -> Any:
    """Return the flights of a request with the names of the schema; what is no flight is left to the schema."""
    if not renamed or not isinstance(flights, list):
        return flights
    return [
        {renamed.get(name, name): value for name, value in flight.items()} if isinstance(flight, dict) else flight
        for flight in flights
    ]

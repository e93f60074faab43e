"""Repairs: faults of today's feed that are undone in every request, until the feed is as it was."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..data.faults import TRANSFORMS
from ..data.schema import Instance

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

    def apply(self, instances: list[Instance]) -> tuple[list[Instance], list[dict[str, Any]]]:
        """Return the instances with the known faults undone, and of each the columns that are not as requested."""
        if not self.transforms:
            return instances, [{}] * len(instances)
        changes = [self._changes(instance) for instance in instances]
        return [instance.model_copy(update=each) for instance, each in zip(instances, changes, strict=True)], changes

    def _changes(self, instance: Instance) -> dict[str, Any]:
        undone = (item for name in self.transforms for item in TRANSFORMS[name].items())
        return {column: undo(value) for column, undo in undone if (value := getattr(instance, column)) is not None}


def with_right_names(instances: Any) -> Any:
    """Return the instances of a request with the names of the schema; what is no instance is left to the schema."""
    if not renamed or not isinstance(instances, list):
        return instances
    return [
        {renamed.get(name, name): value for name, value in instance.items()} if isinstance(instance, dict) else instance
        for instance in instances
    ]

"""Which arm an instance belongs to, whatever it is routed by."""

from collections.abc import Mapping
from typing import Any

from ..config.problem import ROUTED_BY
from ..serving.routing import arm_of


def arm(instance: Mapping[str, Any], experiment: str, share: float) -> str:
    """Return the arm of an instance in an experiment."""
    return arm_of("".join(str(instance[name]) for name in ROUTED_BY), experiment, share)

"""Faults that a feed is known to have, and how each is undone: in a value or in a whole column, without pandas."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

TRANSFORMS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "°C": dict.fromkeys(("temp", "dewp"), lambda celsius: celsius * 9 / 5 + 32),
    "a share of 1": {"humid": lambda share: share * 100},
    "UTC in winter": {"scheduled_departure": lambda moment: moment - timedelta(hours=5)},
    "UTC in summer": {"scheduled_departure": lambda moment: moment - timedelta(hours=4)},
}

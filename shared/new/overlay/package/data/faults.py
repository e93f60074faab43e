«# from level 4 #»
"""Faults that a feed is known to have, and how each is undone: in a value or in a whole column, without pandas."""

from collections.abc import Callable
from typing import Any

# By name of the fault: the columns it spoils, and what undoes it, such as
# "°C": {"temperature": lambda value: value * 9 / 5 + 32}
TRANSFORMS: dict[str, dict[str, Callable[[Any], Any]]] = {}

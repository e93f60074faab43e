"""Wait for a condition, and no longer than it takes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
SECONDS_BETWEEN_POLLS = 0.1


def wait_until(condition: Callable[[], T], seconds: float) -> T:
    """Poll a condition until it is true or the time is over; return its last value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(SECONDS_BETWEEN_POLLS)
    return value

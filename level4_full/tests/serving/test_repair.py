"""The known faults of a feed of flights, undone in a request."""

from datetime import datetime
from typing import Any

import pytest

from ...data.schema import Flight
from ...serving.repair import Repair
from ..example import EXAMPLE


def repaired(fault: str, **asked: Any) -> dict[str, Any]:
    """Return what is not as it was asked, once the fault is undone."""
    flight = Flight.model_validate(EXAMPLE | {"observed_at": None} | asked)
    (right,), (changes,) = Repair("2013-11-04", {}, (fault,)).apply([flight])
    assert right == flight.model_copy(update=changes)
    return changes


def test_celsius_is_undone_where_there_is_a_temperature() -> None:
    assert repaired("°C", temp=10.0, dewp=None) == {"temp": pytest.approx(50.0)}


@pytest.mark.parametrize(("fault", "hour"), [("UTC in winter", 12), ("UTC in summer", 13)])
def test_a_shifted_schedule_is_shifted_back(fault: str, hour: int) -> None:
    changed = repaired(fault, scheduled_departure="2013-11-04T17:00:00")
    assert changed == {"scheduled_departure": datetime(2013, 11, 4, hour)}

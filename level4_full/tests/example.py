"""A row as the application is asked about it, and what the tests need to know of its columns.

What else they need is in `config/problem.py`. Tests that are about flights themselves name their columns.
"""

from typing import Any

from ..config.problem import ID

EXAMPLE: dict[str, Any] = {
    "flight_id": "2013-03-01-UA475-EWR",
    "scheduled_departure": "2013-03-01T06:30:00",
    "origin": "EWR",
    "dest": "IAH",
    "carrier": "UA",
    "flight": 475,
    "tailnum": "N14228",
    "distance": 1400,
    "observed_at": "2013-03-01T05:00:00",
    "temp": 35.1,
    "dewp": 26.1,
    "humid": 69.1,
    "wind_dir": 300,
    "wind_speed": 12.7,
    "wind_gust": None,
    "precip": 0,
    "pressure": 1009.6,
    "visib": 10,
}
# Another one, which a model can tell from the first: it leaves in the evening.
OTHER = EXAMPLE | {"flight_id": "2013-03-01-UA476-EWR", "scheduled_departure": "2013-03-01T18:30:00"}

NUMBER = "temp"  # one that a model sees and a baseline does not, and that may be missing
OUT_OF_RANGE: dict[str, Any] = {NUMBER: 200}
CATEGORY = "carrier"  # one that a model sees, and is looked at by
UNSEEN: dict[str, Any] = {CATEGORY: "ZZ", "dest": "XXX"}  # valid, and in no data


def numbered(number: int) -> dict[str, Any]:
    """Return the example as one of many, with an id of its own, and routed by itself in an A/B test."""
    return EXAMPLE | {ID: f"flight {number}", "flight": number}

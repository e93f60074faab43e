"""What a flight may be: local time in New York, and values in their ranges."""

import math
from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from ...data.schema import Flight
from ..example import EXAMPLE

WEATHER = [*EXAMPLE][[*EXAMPLE].index("observed_at") :]


def check_refused(flight: dict[str, Any], field: str, problem: str = "") -> None:
    with pytest.raises(ValidationError) as refused:
        Flight.model_validate(flight)
    (error,) = refused.value.errors()
    assert ".".join(map(str, error["loc"])) == field
    assert problem in error["msg"]


def departure(moment: str) -> datetime:
    flight = EXAMPLE | {"scheduled_departure": moment, "observed_at": None}
    return Flight.model_validate(flight).scheduled_departure


@pytest.mark.parametrize("day", ["2050-03-01", "2000-01-01", "2099-12-31"])
def test_any_date_of_this_century_is_taken(day: str) -> None:
    assert departure(f"{day}T06:30:00") == datetime.fromisoformat(f"{day}T06:30:00")


@pytest.mark.parametrize(
    ("moment", "in_new_york"),
    [
        ("2013-03-01T16:29:00Z", "2013-03-01T11:29:00"),
        ("2013-03-01T16:31:00+00:00", "2013-03-01T11:31:00"),
        ("2013-07-01T15:29:00Z", "2013-07-01T11:29:00"),  # summer: four hours, not five
        ("2013-07-01T15:31:00Z", "2013-07-01T11:31:00"),
        ("2013-03-01T23:00:00+09:00", "2013-03-01T09:00:00"),
        ("2013-03-01T12:00:00-05:00", "2013-03-01T12:00:00"),
    ],
)
def test_an_offset_is_honoured(moment: str, in_new_york: str) -> None:
    assert departure(moment) == departure(in_new_york) == datetime.fromisoformat(in_new_york)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("scheduled_departure", "soon"),
        ("scheduled_departure", None),
        ("scheduled_departure", 1362117600),  # seconds since 1970
        ("scheduled_departure", "1362117600"),
        ("scheduled_departure", "0001-01-01T06:30:00"),
        ("scheduled_departure", "2100-01-01T06:30:00"),
        ("scheduled_departure", "2013-03-10T02:30:00"),  # the clocks skip this hour
        ("observed_at", "2013-02-30T05:00:00"),
        ("flight", "one"),
        ("flight", 1.5),
        ("flight", True),
        ("flight", "725"),
        ("origin", "Newark"),
        ("dest", None),
        ("carrier", "United"),
        ("tailnum", ["N14228"]),
        ("distance", -1),
        ("distance", math.nan),
        ("humid", 101),
        ("wind_dir", 361),
        ("precip", {}),
    ],
)
def test_a_value_that_no_flight_has_is_refused(field: str, value: Any) -> None:
    check_refused(EXAMPLE | {field: value}, field)


def test_weather_from_after_the_departure_is_refused() -> None:
    late = EXAMPLE | {"observed_at": "2013-12-31T23:00:00"}
    check_refused(late, "", "observed_at is after scheduled_departure")


@pytest.mark.parametrize("field", ["scheduled_departure", "observed_at"])
@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"])
def test_a_moment_beyond_the_calendar_is_refused(field: str, moment: str) -> None:
    check_refused(EXAMPLE | {field: moment}, field, "is beyond the calendar")


@pytest.mark.parametrize("name", WEATHER)
def test_weather_may_be_missing(name: str) -> None:
    unseen = {key: value for key, value in EXAMPLE.items() if key != name}
    assert getattr(Flight.model_validate(unseen), name) is None

"""The known faults of a feed of flights, undone in a table."""

import pandas as pd
import pytest

from ...data.corrections import put_right


def celsius(flights: pd.DataFrame) -> pd.DataFrame:
    return flights.assign(**{name: (flights[name] - 32) * 5 / 9 for name in ("temp", "dewp")})


def shares(flights: pd.DataFrame) -> pd.DataFrame:
    return flights.assign(humid=flights["humid"] / 100)


def later(flights: pd.DataFrame, hours: int) -> pd.DataFrame:
    return flights.assign(scheduled_departure=flights["scheduled_departure"] + pd.Timedelta(hours=hours))


def test_temperatures_in_celsius_are_those_in_fahrenheit_again(flights: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(put_right(celsius(flights), ["°C"]), flights)


def test_shares_are_percent_again(flights: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(put_right(shares(flights), ["a share of 1"]), flights)


@pytest.mark.parametrize(("fault", "hours"), [("UTC in winter", 5), ("UTC in summer", 4)])
def test_a_schedule_in_utc_is_local_again(flights: pd.DataFrame, fault: str, hours: int) -> None:
    right = put_right(later(flights, hours), [fault])["scheduled_departure"]
    assert right.tolist() == flights["scheduled_departure"].tolist()

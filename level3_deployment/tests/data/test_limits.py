"""The limits of a flight, held against whole columns, and the numbers of flights that measure nothing."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from ...data.drift import drift_of
from ...data.tables import BadTableError, read
from ...data.validate import InvalidDataError, check_files, check_values
from ..conftest import make_flights, write_days

Change = Callable[[pd.DataFrame], pd.DataFrame]


def first_becomes(column: str, value: object) -> Change:
    """Return a change of the first value of a column."""
    return lambda table: table.assign(**{column: [value, *table[column][1:]]})


# What is wrong, the column it is in, and words of the rule that it breaks.
BROKEN: list[tuple[Change, str, str]] = [
    (first_becomes("humid", 100.1), "humid", "less_than_or_equal_to.100"),
    (first_becomes("temp", -61.0), "temp", "greater_than_or_equal_to.-60"),
    (first_becomes("wind_speed", float("inf")), "wind_speed", "less_than_or_equal_to.250"),
    (first_becomes("distance", 0), "distance", "greater_than.0"),
    (first_becomes("flight", 10_000), "flight", "less_than_or_equal_to.9999"),
    (first_becomes("arrival_delay", 3001.0), "arrival_delay", "less_than_or_equal_to.3000"),
    (first_becomes("origin", "Newark"), "origin", "matches"),
    (first_becomes("carrier", "ua"), "carrier", "matches"),
    (first_becomes("tailnum", "N1234567890"), "tailnum", "length"),
    (first_becomes("dest", None), "dest", "nullable"),
    (lambda table: table.assign(flight=table["flight"] + 0.5), "flight", "is an? integer"),
    (
        lambda table: table.assign(observed_at=table["observed_at"].astype(str)),
        "observed_at",
        "is a date-time",
    ),
    (lambda table: table.assign(tailnum=7), "tailnum", "is a string"),
]


@pytest.mark.parametrize(
    ("change", "column", "rule"), BROKEN, ids=[f"{column}-{rule}" for _, column, rule in BROKEN]
)
def test_what_no_flight_has_is_named_by_column_and_rule(
    flights: pd.DataFrame, change: Change, column: str, rule: str
) -> None:
    with pytest.raises(InvalidDataError) as error:
        check_values(change(flights))
    broken = pd.DataFrame(error.value.problems)
    assert ((broken["column"] == column) & broken["rule"].str.contains(rule)).any(), broken


@pytest.mark.parametrize("day", ["2013-03-01", "2013-03-02"])
def test_halves_of_flight_numbers_in_the_file_of_one_day_are_caught(tmp_path: Path, day: str) -> None:
    write_days(make_flights(days=3, per_day=20), tmp_path)
    path = tmp_path / "flights" / f"{day}.parquet"
    table = pd.read_parquet(path)
    table.assign(flight=table["flight"] + 0.5).to_parquet(path, index=False)
    with pytest.raises(InvalidDataError, match="flight: is a integer"):
        check_files(tmp_path)
    with pytest.raises(BadTableError, match=f"flight in flights/{day}.parquet is no integer"):
        read([path], {"flight": "integer"})


def test_flight_numbers_do_not_drift(flights: pd.DataFrame) -> None:
    assert "flight" not in drift_of(flights, flights)

"""The gate before training: whatever breaks the schema is named by column and rule."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from ...data.snapshot import load_table
from ...data.tables import BadTableError
from ...data.validate import InvalidDataError, check_files, check_values
from ..conftest import make_flights, write_days

Change = Callable[[pd.DataFrame], pd.DataFrame]

DAYS = ["2013-03-01", "2013-03-02", "2013-03-03"]


def first_becomes(column: str, value: object) -> Change:
    """Return a change of the first value of a column."""
    return lambda table: table.assign(**{column: [value, *table[column][1:]]})


# What is wrong, the column it is in, and words of the rule that it breaks.
BROKEN_VALUES: list[tuple[Change, str, str]] = [
    (lambda table: table.drop(columns="temp"), "temp", "missing|in_dataframe"),
    (lambda table: table.assign(colour="red"), "colour", "not in the schema|in_schema"),
    (lambda table: table.rename(columns={"dewp": "dew_point"}), "dewp", "missing|in_dataframe"),
    (lambda table: table.rename(columns={"dewp": "dew_point"}), "dew_point", "not in the schema|in_schema"),
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
    (first_becomes("arrival_delay", None), "arrival_delay", "nullable"),
    (first_becomes("scheduled_departure", pd.NaT), "scheduled_departure", "nullable"),
    (first_becomes("distance", "far"), "distance", "is a number"),
    (lambda table: table.assign(distance=table["distance"].astype(str)), "distance", "is a number"),
    (lambda table: table.assign(flight=table["flight"] + 0.5), "flight", "is an? integer"),
    (
        lambda table: table.assign(observed_at=table["observed_at"].astype(str)),
        "observed_at",
        "is a date-time",
    ),
    (
        lambda table: table.assign(scheduled_departure=table["scheduled_departure"].dt.tz_localize("UTC")),
        "scheduled_departure",
        "is a date-time",
    ),
    (lambda table: table.assign(tailnum=7), "tailnum", "is a string"),
    (lambda table: pd.concat([table, table.head(1)], ignore_index=True), "flight_id", "unique"),
]


def problems_of(check: Callable[[], None]) -> list[dict[str, str]]:
    with pytest.raises(InvalidDataError) as error:
        check()
    assert all(problem["column"] in str(error.value) for problem in error.value.problems[:10])
    return error.value.problems


def check_named(problems: list[dict[str, str]], column: str, rule: str) -> None:
    broken = pd.DataFrame(problems)
    assert ((broken["column"] == column) & broken["rule"].str.contains(rule)).any(), problems


def test_good_data_passes(flights: pd.DataFrame) -> None:
    check_values(flights)


def test_what_may_be_missing_may_be_missing(flights: pd.DataFrame) -> None:
    weather = flights.columns[flights.columns.get_loc("observed_at") : flights.columns.get_loc("arrival_delay")]
    flights.loc[::2, [*weather, "tailnum"]] = None
    check_values(flights)


@pytest.mark.parametrize(
    ("change", "column", "rule"), BROKEN_VALUES, ids=[f"{column}-{rule}" for _, column, rule in BROKEN_VALUES]
)
def test_what_is_wrong_is_named_by_column_and_rule(
    flights: pd.DataFrame, change: Change, column: str, rule: str
) -> None:
    check_named(problems_of(lambda: check_values(change(flights))), column, rule)


def test_all_that_is_wrong_is_named_at_once(flights: pd.DataFrame) -> None:
    broken = flights.assign(humid=101.0, dest="nowhere", flight=0)
    assert {problem["column"] for problem in problems_of(lambda: check_values(broken))} == {
        "humid",
        "dest",
        "flight",
    }


def test_the_report_counts_the_rows_and_shows_one(flights: pd.DataFrame) -> None:
    flights.loc[[3, 5, 8], "humid"] = 123.5
    (problem,) = problems_of(lambda: check_values(flights))
    assert "3 rows" in problem["where"]
    assert "123.5" in problem["where"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder with three collected days."""
    write_days(make_flights(days=3, per_day=20), tmp_path / "data")
    return tmp_path / "data"


def check(data: Path) -> None:
    """Do what the pipeline does with a folder of collected files."""
    check_files(data)
    check_values(load_table(data))


def test_good_files_pass(data: Path) -> None:
    check(data)


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("old", ["temp", "tailnum", "scheduled_departure"])
def test_a_column_renamed_in_the_file_of_one_day_is_caught(data: Path, day: str, old: str) -> None:
    path = data / "flights" / f"{day}.parquet"
    pd.read_parquet(path).rename(columns={old: "another"}).to_parquet(path, index=False)
    problems = problems_of(lambda: check(data))
    assert {(problem["column"], problem["where"]) for problem in problems} == {
        (old, f"flights/{day}.parquet"),
        ("another", f"flights/{day}.parquet"),
    }


def test_a_column_missing_from_one_file_of_outcomes_is_caught(data: Path) -> None:
    path = data / "outcomes" / f"{DAYS[1]}.parquet"
    pd.read_parquet(path, columns=["flight_id"]).to_parquet(path, index=False)
    (problem,) = problems_of(lambda: check(data))
    assert (problem["column"], problem["where"]) == ("arrival_delay", f"outcomes/{DAYS[1]}.parquet")


# Read together, the files of all days take the types of the first one, whatever is in the others.
OTHER_TYPES: list[tuple[str, Change]] = [
    ("temp", lambda table: table.assign(temp="warm")),
    ("visib", lambda table: table.assign(visib=table["visib"].astype(str))),
    ("flight", lambda table: table.assign(flight=table["flight"] + 0.5)),
    ("tailnum", lambda table: table.assign(tailnum=7)),
    (
        "scheduled_departure",
        lambda table: table.assign(scheduled_departure=table["scheduled_departure"].dt.tz_localize("UTC")),
    ),
]


@pytest.mark.parametrize("day", DAYS[:2])
@pytest.mark.parametrize(("column", "change"), OTHER_TYPES, ids=[column for column, _ in OTHER_TYPES])
def test_another_type_in_the_file_of_one_day_is_caught(data: Path, day: str, column: str, change: Change) -> None:
    path = data / "flights" / f"{day}.parquet"
    change(pd.read_parquet(path)).to_parquet(path, index=False)
    assert column in {problem["column"] for problem in problems_of(lambda: check(data))}


def test_a_flight_published_twice_is_caught(data: Path) -> None:
    path = data / "flights" / f"{DAYS[0]}.parquet"
    flights = pd.read_parquet(path)
    pd.concat([flights, flights.head(1)]).to_parquet(path, index=False)
    check_named(problems_of(lambda: check(data)), "flight_id", "unique")


def test_no_data_at_all_is_a_problem_too(tmp_path: Path) -> None:
    assert problems_of(lambda: check(tmp_path / "data"))


# Files that say the same with other types, as files do that are written day by day.
SAME_WITH_OTHER_TYPES: dict[str, Change] = {
    "whole numbers": lambda table: table.assign(wind_speed=table["wind_speed"].fillna(0).round().astype("int64")),
    "microseconds": lambda table: table.astype({"scheduled_departure": "datetime64[us]"}),
    "nanoseconds": lambda table: table.astype({"observed_at": "datetime64[ns]"}),
    "categories": lambda table: table.astype({"origin": "category", "carrier": "category"}),
    "nothing all day": lambda table: table.assign(wind_gust=None, tailnum=None),
    "no rows": lambda table: table.head(0),
    "no rows and no types": lambda table: table.head(0).astype(object),
}


@pytest.mark.parametrize("day", DAYS[:2])
@pytest.mark.parametrize("name", SAME_WITH_OTHER_TYPES)
def test_a_day_may_say_the_same_with_other_types(data: Path, day: str, name: str) -> None:
    path = data / "flights" / f"{day}.parquet"
    SAME_WITH_OTHER_TYPES[name](pd.read_parquet(path)).to_parquet(path, index=False)
    check(data)


def test_a_file_read_unchecked_is_named_with_its_column(data: Path) -> None:
    path = data / "flights" / f"{DAYS[0]}.parquet"
    pd.read_parquet(path).assign(temp="warm").to_parquet(path, index=False)
    with pytest.raises(BadTableError, match=rf"temp in flights/{DAYS[0]}.parquet is no number, but"):
        load_table(data)

"""The gate before training: whatever breaks the schema is named by column and rule."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ...config.problem import ID, OUTCOME, OUTCOMES, ROWS, TIME
from ...data.features import CATEGORICAL
from ...data.snapshot import load_table
from ...data.tables import NULLABLE, BadTableError
from ...data.validate import InvalidDataError, check_files, check_values
from ..conftest import make_instances, write_days
from ..example import CATEGORY, NUMBER, OUT_OF_RANGE

Change = Callable[[pd.DataFrame], pd.DataFrame]

DAYS = ["2013-03-01", "2013-03-02", "2013-03-03"]
MAY_BE_MISSING = sorted(NULLABLE - {OUTCOME})


def first_becomes(column: str, value: object) -> Change:
    """Return a change of the first value of a column."""
    return lambda table: table.assign(**{column: [value, *table[column][1:]]})


def changed(column: str, change: Callable[["pd.Series[Any]"], Any]) -> Change:
    """Return a change of a whole column."""
    return lambda table: table.assign(**{column: change(table[column])})


# What is wrong, the column it is in, and words of the rule that it breaks.
BROKEN_VALUES: list[tuple[Change, str, str]] = [
    (lambda table: table.drop(columns=NUMBER), NUMBER, "missing|in_dataframe"),
    (lambda table: table.assign(colour="red"), "colour", "not in the schema|in_schema"),
    (lambda table: table.rename(columns={NUMBER: "another"}), NUMBER, "missing|in_dataframe"),
    (lambda table: table.rename(columns={NUMBER: "another"}), "another", "not in the schema|in_schema"),
    (first_becomes(NUMBER, float(OUT_OF_RANGE[NUMBER])), NUMBER, "(?:less|greater)_than_or_equal_to"),
    (first_becomes(NUMBER, float("inf")), NUMBER, "less_than_or_equal_to"),
    (first_becomes(OUTCOME, None), OUTCOME, "nullable"),
    (first_becomes(TIME, pd.NaT), TIME, "nullable"),
    (first_becomes(NUMBER, "far"), NUMBER, "is a number"),
    (changed(NUMBER, lambda column: column.astype(str)), NUMBER, "is a number"),
    (changed(TIME, lambda column: column.astype(str)), TIME, "is a date-time"),
    (changed(TIME, lambda column: column.dt.tz_localize("UTC")), TIME, "is a date-time"),
    (changed(CATEGORY, lambda _: 7), CATEGORY, "is a string"),
    (lambda table: pd.concat([table, table.head(1)], ignore_index=True), ID, "unique"),
]


def problems_of(check: Callable[[], None]) -> list[dict[str, str]]:
    with pytest.raises(InvalidDataError) as error:
        check()
    assert all(problem["column"] in str(error.value) for problem in error.value.problems[:10])
    return error.value.problems


def check_named(problems: list[dict[str, str]], column: str, rule: str) -> None:
    broken = pd.DataFrame(problems)
    assert ((broken["column"] == column) & broken["rule"].str.contains(rule)).any(), problems


def test_good_data_passes(instances: pd.DataFrame) -> None:
    check_values(instances)


def test_what_may_be_missing_may_be_missing(instances: pd.DataFrame) -> None:
    instances.loc[::2, MAY_BE_MISSING] = None
    check_values(instances)


@pytest.mark.parametrize(
    ("change", "column", "rule"), BROKEN_VALUES, ids=[f"{column}-{rule}" for _, column, rule in BROKEN_VALUES]
)
def test_what_is_wrong_is_named_by_column_and_rule(
    instances: pd.DataFrame, change: Change, column: str, rule: str
) -> None:
    check_named(problems_of(lambda: check_values(change(instances))), column, rule)


def test_all_that_is_wrong_is_named_at_once(instances: pd.DataFrame) -> None:
    wrong: dict[str, Any] = OUT_OF_RANGE | {CATEGORY: 7, "colour": "red"}
    broken = instances.assign(**wrong)
    named = {problem["column"] for problem in problems_of(lambda: check_values(broken))}
    assert named == {NUMBER, CATEGORY, "colour"}


def test_the_report_counts_the_rows_and_shows_one(instances: pd.DataFrame) -> None:
    instances.loc[[3, 5, 8], NUMBER] = float(OUT_OF_RANGE[NUMBER])
    (problem,) = problems_of(lambda: check_values(instances))
    assert "3 rows" in problem["where"]
    assert str(OUT_OF_RANGE[NUMBER]) in problem["where"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder with three collected days."""
    write_days(make_instances(days=3, per_day=20), tmp_path / "data")
    return tmp_path / "data"


def check(data: Path) -> None:
    """Do what the pipeline does with a folder of collected files."""
    check_files(data)
    check_values(load_table(data))


def test_good_files_pass(data: Path) -> None:
    check(data)


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("old", [NUMBER, CATEGORY, TIME])
def test_a_column_renamed_in_the_file_of_one_day_is_caught(data: Path, day: str, old: str) -> None:
    path = data / ROWS / f"{day}.parquet"
    pd.read_parquet(path).rename(columns={old: "another"}).to_parquet(path, index=False)
    problems = problems_of(lambda: check(data))
    assert {(problem["column"], problem["where"]) for problem in problems} == {
        (old, f"{ROWS}/{day}.parquet"),
        ("another", f"{ROWS}/{day}.parquet"),
    }


def test_a_column_missing_from_one_file_of_outcomes_is_caught(data: Path) -> None:
    path = data / OUTCOMES / f"{DAYS[1]}.parquet"
    pd.read_parquet(path, columns=[ID]).to_parquet(path, index=False)
    (problem,) = problems_of(lambda: check(data))
    assert (problem["column"], problem["where"]) == (OUTCOME, f"{OUTCOMES}/{DAYS[1]}.parquet")


# Read together, the files of all days take the types of the first one, whatever is in the others.
OTHER_TYPES: list[tuple[str, Change]] = [
    (NUMBER, changed(NUMBER, lambda _: "many")),
    (NUMBER, changed(NUMBER, lambda column: column.astype(str))),
    (CATEGORY, changed(CATEGORY, lambda _: 7)),
    (TIME, changed(TIME, lambda column: column.dt.tz_localize("UTC"))),
]


@pytest.mark.parametrize("day", DAYS[:2])
@pytest.mark.parametrize(("column", "change"), OTHER_TYPES, ids=[column for column, _ in OTHER_TYPES])
def test_another_type_in_the_file_of_one_day_is_caught(data: Path, day: str, column: str, change: Change) -> None:
    path = data / ROWS / f"{day}.parquet"
    change(pd.read_parquet(path)).to_parquet(path, index=False)
    assert column in {problem["column"] for problem in problems_of(lambda: check(data))}


def test_a_instance_published_twice_is_caught(data: Path) -> None:
    path = data / ROWS / f"{DAYS[0]}.parquet"
    instances = pd.read_parquet(path)
    pd.concat([instances, instances]).to_parquet(path, index=False)
    check_named(problems_of(lambda: check(data)), ID, "unique")


def test_no_data_at_all_is_a_problem_too(tmp_path: Path) -> None:
    assert problems_of(lambda: check(tmp_path / "data"))


# Files that say the same with other types, as files do that are written day by day.
SAME_WITH_OTHER_TYPES: dict[str, Change] = {
    **(
        {}
        if NUMBER == "absent"
        else {"whole numbers": changed(NUMBER, lambda one: one.fillna(one.mean()).round().astype("int64"))}
    ),
    "microseconds": changed(TIME, lambda column: column.astype("datetime64[us]")),
    "nanoseconds": changed(TIME, lambda column: column.astype("datetime64[ns]")),
    "categories": lambda table: table.astype(dict.fromkeys(CATEGORICAL, "category")),
    "nothing all day": lambda table: table.assign(**dict.fromkeys(MAY_BE_MISSING)),
    "no rows": lambda table: table.head(0),
    "no rows and no types": lambda table: table.head(0).astype(object),
}


@pytest.mark.parametrize("day", DAYS[:2])
@pytest.mark.parametrize("name", SAME_WITH_OTHER_TYPES)
def test_a_day_may_say_the_same_with_other_types(data: Path, day: str, name: str) -> None:
    path = data / ROWS / f"{day}.parquet"
    SAME_WITH_OTHER_TYPES[name](pd.read_parquet(path)).to_parquet(path, index=False)
    check(data)


def test_a_file_read_unchecked_is_named_with_its_column(data: Path) -> None:
    path = data / ROWS / f"{DAYS[0]}.parquet"
    pd.read_parquet(path).assign(**{NUMBER: "many"}).to_parquet(path, index=False)
    with pytest.raises(BadTableError, match=rf"{NUMBER} in {ROWS}/{DAYS[0]}.parquet is no number, but"):
        load_table(data)

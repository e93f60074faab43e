"""Reading a table of any kind, and what is proposed for it."""

import gzip
import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel

from shared.base import ROOT, StageError
from shared.new import table as table_module
from shared.new.kinds import as_dates
from shared.new.made_up import made_up
from shared.new.names import RESERVED, clean
from shared.new.propose import Proposal, propose
from shared.new.table import TableError, read

from .customers import DAYS, ROWS, customers, write_csv

Table = pd.DataFrame


def proposal(tmp_path: Path, table: Table | None = None, **asked: str) -> Proposal:
    """Write a table as CSV, read it, and return what is proposed."""
    path = write_csv(tmp_path, customers() if table is None else table)
    return propose(read(path), **{"target": "Churned"} | asked)


def column(found: Proposal, name: str) -> dict[str, Any]:
    return next(column for column in found.columns if column["name"] == name)


def noted(found: Proposal, *words: str) -> bool:
    return any(all(word in note for word in words) for note in found.notes)


# --- reading -----------------------------------------------------------------------------------------------------


def as_parquet(folder: Path) -> Path:
    path = folder / "customers.parquet"
    customers().to_parquet(path)
    return path


def as_packed(folder: Path) -> Path:
    path = folder / "customers.csv.gz"
    path.write_bytes(gzip.compress(write_csv(folder, customers()).read_bytes()))
    return path


def with_mark(folder: Path) -> Path:
    path = folder / "marked.csv"
    path.write_bytes(b"\xef\xbb\xbf" + write_csv(folder, customers()).read_bytes())
    return path


WRITERS: dict[str, Callable[[Path], Path]] = {
    "semicolons": lambda folder: write_csv(folder, customers(), ";"),
    "tabs": lambda folder: write_csv(folder, customers(), "\t"),
    "packed": as_packed,
    "with a byte-order mark": with_mark,
    "Parquet": as_parquet,
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_every_kind_of_file_reads_the_same(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    plain = read(write_csv(tmp_path, customers()))
    assert plain.shape == (ROWS, 14)
    pd.testing.assert_frame_equal(read(write(tmp_path)), plain)


def test_text_that_is_all_numbers_is_read_as_numbers(tmp_path: Path) -> None:
    table = read(write_csv(tmp_path, customers()))
    assert table["Total"].dtype == float
    assert table["Total"].isna().sum() == 3  # three cells were blank


def test_codes_stay_text(tmp_path: Path) -> None:
    table = read(write_csv(tmp_path, pd.DataFrame({"zip": ["01234", "90210"], "card": ["1234567890123456"] * 2})))
    assert table["zip"].tolist() == ["01234", "90210"]
    assert table["card"].tolist() == ["1234567890123456"] * 2


def test_what_only_parquet_has_is_read_as_plain_columns(tmp_path: Path) -> None:
    path = tmp_path / "own.parquet"
    cells = {
        "price": pa.array([Decimal("1.5"), None]),
        "plan": pa.array(["a", "b"]).dictionary_encode(),
    }
    pq.write_table(pa.table({**cells, "day": pa.array([date(2024, 3, 1)] * 2)}), path)
    table = read(path)
    assert [str(kind) for kind in table.dtypes] == ["float64", "object", "datetime64[ms]"]


def content(name: str, data: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return write


def nested(folder: Path) -> Path:
    pq.write_table(pa.table({"a": [1], "tags": [["x"]], "place": [{"x": 1}]}), folder / "nested.parquet")
    return folder / "nested.parquet"


def wide(folder: Path) -> Path:
    pq.write_table(pa.table({f"c{number}": [1] for number in range(201)}), folder / "wide.parquet")
    return folder / "wide.parquet"


REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no file": (lambda folder: folder / "gone.csv", "gone.csv is no file: name"),
    "a folder": (lambda folder: folder, "is no file: name"),
    "empty": (content("a.csv", b""), "has no table in it: the first line has to name"),
    "no rows": (content("a.csv", b"a,b\n"), "has no rows"),
    "a workbook": (content("a.xlsx", b"PK\x03\x04"), "save it as CSV or Parquet"),
    "another encoding": (
        content("a.csv", "a,b\nGr\u00f6\u00dfe,1\n".encode("latin1")),
        "iconv -f latin1 -t utf-8",
    ),
    "torn lines": (content("a.csv", b"a,b\n1,2\n1,2,3\n1,2,3,4\n"), "no table that can be read"),
    "a torn archive": (content("a.csv.gz", gzip.compress(b"a,b\n1,2\n" * 99)[:-9]), "no table that can be read"),
    "torn Parquet": (content("a.parquet", b"PAR1 and no more"), "no Parquet file that can be read"),
    "two of one name": (content("a.csv", b"a,b,a\n1,2,3\n"), "two columns called a: rename one"),
    "nested": (nested, "several values in a cell: tags, place"),
    "many columns": (wide, "has 201 columns, and may have 200"),
    "many columns of CSV": (content("a.csv", b",".join(b"c%d" % n for n in range(201))), "has 201 columns"),
}


@pytest.mark.parametrize(("write", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_is_refused(tmp_path: Path, write: Callable[[Path], Path], message: str) -> None:
    with pytest.raises(TableError, match=re.escape(message)):
        read(write(tmp_path))


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_too_many_rows_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(table_module, "MAX_ROWS", 5)
    monkeypatch.setattr(table_module, "CHUNK", 3)
    path = tmp_path / name
    if name == "a.csv":
        path.write_bytes(b"a,b\n" + b"1,1\n" * 200_000 + b"\xff,1\n")  # the last line is never reached
    else:
        pd.DataFrame({"a": range(7), "b": range(7)}).to_parquet(path)
    with pytest.raises(TableError, match=r"more than 5 rows: take the newest, such as with .*tail.*5"):
        read(path)


def test_a_refusal_is_an_error_of_the_house() -> None:
    assert issubclass(TableError, StageError)


# --- names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "name"),
    [
        ("class", "class_"),
        ("target score (%)", "target_score"),
        ("Monthly Charges ($)", "monthly_charges"),
        ("customerID", "customer_id"),
        ("Gr\u00f6\u00dfe", "grosse"),
        ("json", "json_"),
        ("label", "label_"),
        ("model", "own_model"),
        ("model_year", "own_model_year"),
        ("2nd visit", "n_2nd_visit"),
        ("\u5e74", ""),
    ],
)
def test_names_are_cleaned(own: str, name: str) -> None:
    assert clean(own) == name


def test_no_name_hides_what_a_schema_inherits() -> None:
    inherited = {name for name in dir(BaseModel) if not name.startswith(("_", "model_"))}
    assert inherited <= RESERVED
    assert not any(clean(name) in inherited or clean(name).startswith("model_") for name in dir(BaseModel))


def test_no_name_is_one_that_the_prediction_log_has_for_itself() -> None:
    log = (ROOT / "template/level4/«package»/serving/prediction_log.py").read_text()
    own = re.findall(r"^  (\w+) [A-Z]", log, re.MULTILINE)
    assert {"id", "inputs"} <= set(own)
    assert not [name for name in own if clean(name) == name]


def test_what_is_renamed_is_noted(tmp_path: Path) -> None:
    found = proposal(tmp_path)
    assert "renamed: `Monthly Charges ($)` is monthly_charges" in found.notes
    assert found.sources["monthly_charges"] == "Monthly Charges ($)"


def test_names_that_become_the_same_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="`Calls` and `calls` would both be called calls"):
        proposal(tmp_path, customers().assign(calls="1"))


def test_an_index_that_was_written_along_is_left_out(tmp_path: Path) -> None:
    customers().to_csv(tmp_path / "indexed.csv")
    found = propose(read(tmp_path / "indexed.csv"), "Churned")
    assert noted(found, "left out: column 1, which has no name")


# --- what is proposed --------------------------------------------------------------------------------------------


def test_the_customers(tmp_path: Path) -> None:
    found = proposal(tmp_path)
    assert (found.kind, found.id, found.time, found.target) == ("binary", "customer_id", "signed_up", "churned")
    assert (found.positive, found.dayfirst, found.scale) == ("Yes", True, 1.0)
    assert (found.rows_per_day, found.days) == (ROWS // DAYS, DAYS)
    assert {column["name"]: column["type"] for column in found.columns} == {
        "plan": "category",
        "city": "category",
        "class_": "category",
        "partner": "number",
        "monthly_charges": "number",
        "total": "number",
        "balance": "number",
        "calls": "number",
    }
    assert found.slices == ["plan", "class_"]
    assert found.baseline == "calls"
    assert set(found.sources) == {"customer_id", "signed_up", "churned", *(c["name"] for c in found.columns)}


def test_the_example_is_a_whole_row(tmp_path: Path) -> None:
    found = proposal(tmp_path)
    assert json.loads(json.dumps(found.example)) == found.example
    assert list(found.example) == ["customer_id", "signed_up", *(column["name"] for column in found.columns)]
    assert found.example["signed_up"] == "2024-03-30T00:00:00"
    assert None not in found.example.values()
    assert found.example["partner"] in (0, 1)


def test_what_is_left_out_is_noted(tmp_path: Path) -> None:
    found = proposal(tmp_path, customers().assign(Nothing=""))
    assert noted(found, "left out: Comment", "different texts")
    assert noted(found, "left out: Country", "the same in every row")
    assert noted(found, "left out: Nothing", "empty")
    assert noted(found, "left out: Last invoice", "dates")


@pytest.mark.parametrize(("rows", "values", "taken"), [(600, 50, True), (600, 51, False), (2_000, 99, True)])
def test_few_texts_are_a_category(rows: int, values: int, taken: bool) -> None:
    table = small(rows).assign(town=[f"t{number % values}" for number in range(rows)])
    assert ("town" in [column["name"] for column in propose(table, "left").columns]) is taken


def test_empty_cells_may_be_empty_later(tmp_path: Path) -> None:
    found = proposal(tmp_path)
    assert column(found, "city")["nullable"]
    assert not column(found, "plan")["nullable"]
    assert noted(found, "may be empty: Total", "3 of 630 rows")
    assert not noted(found, "may be empty: City")  # often empty, and so no surprise


def test_a_category_shows_its_most_frequent_values(tmp_path: Path) -> None:
    city = column(proposal(tmp_path), "city")
    rows = customers()["City"].replace("", None).value_counts()
    assert len(city["values"]) == 12
    assert sorted(rows[city["values"]]) == sorted(rows.nlargest(12))
    assert city["max_length"] >= 2 * len("city 10")


@pytest.mark.parametrize(
    ("numbers", "low", "high"),
    [
        (np.linspace(18, 118, 600), 0, (210, 230)),  # never below 0, and one range beyond 118
        (np.linspace(-10, 10, 600), (-31, -29), (29, 31)),
        (np.linspace(-30, -20, 600), (-41, -39), 0),
        (
            np.append(np.linspace(0, 10, 5_999), 5_000),
            0,
            (9_000, 11_000),
        ),  # the largest of tomorrow may be twice that of today
        (np.arange(600) % 2, 0, 1),
    ],
)
def test_limits_leave_room_for_ordinary_numbers(numbers: Any, low: Any, high: Any) -> None:
    table = small(len(numbers)).assign(amount=numbers)
    amount = column(propose(table, "left"), "amount")
    for found, expected in ((amount["minimum"], low), (amount["maximum"], high)):
        least, most = expected if isinstance(expected, tuple) else (expected, expected)
        assert least <= found <= most


def small(rows: int = 600, days: int = 30) -> Table:
    """Return a plain table: an id, a day, a number and an outcome."""
    rng = np.random.default_rng(0)
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(rows) * days // rows, unit="D")
    return pd.DataFrame(
        {"id": np.arange(rows), "at": day, "age": rng.random(rows), "left": rng.integers(0, 2, rows)}
    )


# --- the target --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "positive"),
    [((0, 1), "1"), ((0.0, 1.0), "1"), ((False, True), "True"), (("n", "y"), "y"), (("paid", "open"), "open")],
)
def test_what_counts_as_one(values: tuple[Any, Any], positive: str) -> None:
    outcome = np.array(values, dtype=object)[(np.arange(600) % 3 == 0).astype(int)]
    found = propose(small().assign(left=pd.Series(outcome).infer_objects()), "left")
    assert (found.kind, found.positive) == ("binary", positive)
    assert noted(found, f" is {positive} (1")


def test_many_numbers_are_a_regression() -> None:
    price = np.random.default_rng(0).normal(100, 20, 600)
    found = propose(small().assign(left=price), "left")
    assert (found.kind, found.positive) == ("regression", "")
    assert found.scale == pytest.approx(price.std(), rel=0.01)


TARGETS: dict[str, tuple[Any, str]] = {
    "three texts": (
        np.array(["low", "mid", "high"])[np.arange(600) % 3],
        "left has 3 different texts.*says yes or no",
    ),
    "dates": (pd.date_range("2024-01-01", periods=600), "left has dates"),
    "one value": (1, "left is 1 in all rows"),
    "few outcomes": (pd.Series([0, 1] * 99), "left is known in 198 rows, and 200 are needed"),
}


@pytest.mark.parametrize(("values", "message"), TARGETS.values(), ids=TARGETS)
def test_a_target_that_cannot_be_predicted_is_refused(values: Any, message: str) -> None:
    with pytest.raises(TableError, match=message):
        propose(small().assign(left=values), "left")


def test_a_target_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"TARGET=Churn is no column of the table: did you mean Churned"):
        proposal(tmp_path, target="Churn")


def test_a_target_by_its_clean_name_is_found(tmp_path: Path) -> None:
    assert proposal(tmp_path, target="churned").target == "churned"


@pytest.mark.parametrize(
    "leak",
    [
        lambda left, rng: np.where(left, "closed", "open"),
        lambda left, rng: np.where(left, rng.choice(["price", "moved"], len(left)), None),
        lambda left, rng: left * 10 + rng.random(len(left)),
        lambda left, rng: np.where(left, rng.random(len(left)), np.nan),
    ],
    ids=["a category", "a category for one outcome only", "a number", "a number for one outcome only"],
)
def test_what_gives_the_target_away_is_noted(leak: Callable[..., Any]) -> None:
    table = small()
    table["fee"] = leak(table["left"].to_numpy(), np.random.default_rng(1))
    found = propose(table, "left")
    assert noted(found, "leaks? fee")
    assert found.baseline == "age"


def test_what_gives_a_number_away_is_noted() -> None:
    price = np.random.default_rng(0).normal(100, 20, 600)
    assert noted(propose(small().assign(left=price, gross=price * 1.2), "left"), "leaks? gross")


def test_what_only_says_something_is_not_called_a_leak(tmp_path: Path) -> None:
    assert not noted(proposal(tmp_path), "leaks?")
    assert not noted(propose(made_up(), "churned"), "leaks?")


def test_nothing_to_predict_from_is_refused() -> None:
    with pytest.raises(TableError, match="no column is left to predict left from"):
        propose(small()[["id", "at", "left"]], "left")


# --- the time ----------------------------------------------------------------------------------------------------


def test_the_only_column_of_dates_is_the_time() -> None:
    found = propose(small(), "left")
    assert found.time == "at"
    assert "time: at, the only column of dates" in found.notes


def test_of_several_the_one_with_the_most_days_is_the_time(tmp_path: Path) -> None:
    assert noted(proposal(tmp_path), "time: Signed up", "the most days")


def test_a_time_that_is_named_is_taken() -> None:
    found = propose(small().assign(end=pd.date_range("2024-01-01", periods=600)), "left", time="at")
    assert found.time == "at"


@pytest.mark.parametrize(
    ("style", "dayfirst"),
    [("%d/%m/%Y", True), ("%m/%d/%Y", False), ("%Y-%m-%d", False), ("%d.%m.%Y %H:%M", True), ("%d %b %Y", False)],
)
def test_dates_are_read_as_they_are_written(style: str, dayfirst: bool) -> None:
    table = small()
    found = propose(table.assign(at=table["at"].dt.strftime(style)), "left")
    assert (found.dayfirst, found.days) == (dayfirst, 30)
    assert found.example["at"] == "2024-01-30T00:00:00"
    dates = as_dates(table["at"].dt.strftime(style))
    assert dates is not None
    assert dates.moments.eq(table["at"]).all()


def test_days_that_could_be_months_are_noted() -> None:
    days = pd.to_datetime([f"2024-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 13)])
    table = small().assign(at=days.strftime("%d/%m/%Y")[np.arange(600) % len(days)])
    assert noted(propose(table, "left"), "at begins with the day or with the month", "the month was assumed")


def test_a_few_rows_without_a_time_are_left_out() -> None:
    at = small()["at"].dt.strftime("%Y-%m-%d").where(np.arange(600) % 30 > 0, "soon")
    assert noted(propose(small().assign(at=at), "left"), "left out: 20 rows without at")


def test_one_offset_is_noted_and_several_are_refused() -> None:
    one = small()["at"].dt.strftime("%Y-%m-%dT06:30:00+01:00")
    found = propose(small().assign(at=one), "left")
    assert noted(found, "at is taken as it is written, without its offset (+01:00)")
    assert found.example["at"] == "2024-01-30T06:30:00"
    two = one.where(np.arange(600) < 300, one.str.replace("+01", "+02"))
    with pytest.raises(TableError, match=r"several offsets from UTC \(\+01:00, \+02:00\).*tz_convert"):
        propose(small().assign(at=two), "left")


def test_without_dates_rows_are_spread_over_days() -> None:
    found = propose(small(3_000).drop(columns="at"), "left")
    assert (found.time, found.sources["time"], found.days, found.rows_per_day) == ("time", "", 40, 75)
    assert found.example["time"] == f"{date.today() - timedelta(days=1)}T00:00:00"
    assert noted(found, "time: made up", "40 days", "yesterday")


@pytest.mark.parametrize(("rows", "days"), [(200, 22), (1_050, 21), (1_500, 30), (100_000, 40)])
def test_a_day_has_fifty_rows_where_there_are_enough(rows: int, days: int) -> None:
    assert propose(small(rows).drop(columns="at"), "left").days == days


TIMES: dict[str, tuple[dict[str, str], Table, str]] = {
    "not there": ({"time": "when"}, small(), "TIME=when is no column of the table: did you mean"),
    "no dates": ({"time": "age"}, small(), "TIME=age is no column of dates"),
    "few days": ({}, small(days=20), "outcomes of 20 days, and 21 are needed"),
}


@pytest.mark.parametrize(("asked", "table", "message"), TIMES.values(), ids=TIMES)
def test_a_time_that_cannot_be_used_is_refused(asked: dict[str, str], table: Table, message: str) -> None:
    with pytest.raises(TableError, match=re.escape(message)):
        propose(table, "left", **asked)


# --- the id ------------------------------------------------------------------------------------------------------


def test_an_id_that_is_named_is_taken() -> None:
    assert propose(small().assign(email=[f"a{n}" for n in range(600)]), "left", id="email").id == "email"


def test_text_that_is_different_in_every_row_is_the_id() -> None:
    found = propose(small().rename(columns={"id": "size"}).assign(email=[f"a{n}" for n in range(600)]), "left")
    assert found.id == "email"
    assert noted(found, "id: email, which is different in every row")


def test_long_texts_are_no_id() -> None:
    table = small().drop(columns="id").assign(comment=[f"{n} " + "and so on " * 9 for n in range(600)])
    assert noted(propose(table, "left"), "left out: comment")


def test_without_an_id_one_is_made_up() -> None:
    found = propose(small().drop(columns="id"), "left")
    assert (found.id, found.sources["row_id"], found.example["row_id"]) == ("row_id", "", "row-000001")
    assert noted(found, "id: made up")


IDS: dict[str, tuple[str, Any, str]] = {
    "not there": ("key", 1, "ID=key is no column of the table: did you mean"),
    "twice": ("id", np.arange(600) // 2, "ID=id names 300 rows a second time, one is 0"),
    "empty": ("id", [None, *range(599)], "ID=id is empty in 1 rows"),
    "the target": ("left", 1, "have to be three different columns"),
}


@pytest.mark.parametrize(("asked", "values", "message"), IDS.values(), ids=IDS)
def test_an_id_that_cannot_be_used_is_refused(asked: str, values: Any, message: str) -> None:
    with pytest.raises(TableError, match=re.escape(message)):
        propose(small().assign(id=values), "left", id=asked)


# --- made up -----------------------------------------------------------------------------------------------------


def test_the_made_up_customers_can_be_predicted() -> None:
    found = propose(made_up(), "churned")
    assert (found.kind, found.id, found.time, found.days) == ("binary", "customer_id", "renewal", 90)
    assert [column["type"] for column in found.columns] == ["category"] * 3 + ["number"] * 4
    assert sum(column["nullable"] for column in found.columns) == 2


def test_the_made_up_customers_are_the_same_every_time_and_change_slowly() -> None:
    table = made_up()
    pd.testing.assert_frame_equal(table, made_up())
    half = len(table) // 2
    assert 0.01 < table["churned"][half:].mean() - table["churned"][:half].mean() < 0.1
    assert str(table["renewal"].max().date()) == str(date.today() - timedelta(days=1))

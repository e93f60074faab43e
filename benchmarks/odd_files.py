"""Files that are not what they should be, as an upstream publishes them on a bad day."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

Table = pd.DataFrame
FLIGHTS, OUTCOMES, TIME = "flights", "outcomes", "scheduled_departure"


def half(path: Path, table: Table) -> None:
    """Write the first half of the bytes."""
    table.to_parquet(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def pipe(path: Path, _: Table) -> None:
    """Make a pipe, which nobody ever writes to."""
    os.mkfifo(path)


def folder(path: Path, _: Table) -> None:
    """Make a folder with the name of a file."""
    path.unlink()
    path.mkdir()


def contradiction(path: Path, outcomes: Table) -> None:
    """Say of each flight that it came, and that it came an hour later."""
    later = outcomes.assign(arrival_delay=outcomes["arrival_delay"] + 60)
    pd.concat([outcomes, later], ignore_index=True).to_parquet(path)


def dictionaries(path: Path, flights: Table) -> None:
    """Encode text as numbers and a dictionary, as some writers do."""
    flights.astype(dict.fromkeys(("carrier", "origin", "dest"), "category")).to_parquet(path)


def no_gusts(path: Path, flights: Table) -> None:
    """Write a column that is empty all day, and so has no type."""
    whole = pa.Table.from_pandas(flights, preserve_index=False)
    pq.write_table(
        whole.set_column(whole.column_names.index("wind_gust"), "wind_gust", pa.nulls(len(whole))), path
    )


def large(path: Path, flights: Table) -> None:
    """Write a hundred times a day's rows."""
    pd.concat([flights] * (120_000 // len(flights) + 1)).to_parquet(path)


def empty(path: Path, _: Table) -> None:
    """Write no bytes."""
    path.write_bytes(b"")


def nested(path: Path, flights: Table) -> None:
    """Write a list in each row of a column."""
    whole = pa.Table.from_pandas(flights, preserve_index=False)
    lists = pa.array([["N1"]] * len(whole))
    pq.write_table(whole.set_column(whole.column_names.index("tailnum"), "tailnum", lists), path)


@dataclass(frozen=True)
class OddFile:
    """A file that is not what it should be, instead of a day's or under a name of its own."""

    what: str
    kind: str
    write: Callable[[Path, Table], None]
    name: str = ""
    harmless: bool = False  # it says the same as the right one, so nobody has to hear of it


ODD_FILES = (
    OddFile("a name that is no day", FLIGHTS, lambda path, table: table.to_parquet(path), "notes final(1)"),
    OddFile("text in arrival_delay", OUTCOMES, lambda path, t: t.assign(arrival_delay="late").to_parquet(path)),
    OddFile("half a file", FLIGHTS, half),
    OddFile("dictionary-encoded columns", FLIGHTS, dictionaries, harmless=True),
    OddFile("two contradicting outcomes", OUTCOMES, contradiction),
    OddFile("a pipe", FLIGHTS, pipe, "2013-01-01-pipe"),
    OddFile("a column that is empty all day", FLIGHTS, no_gusts, harmless=True),
    OddFile("no bytes", OUTCOMES, empty),
    OddFile("a date of next year", OUTCOMES, lambda path, table: table.to_parquet(path), "2014-12-31"),
    OddFile(
        "microseconds", FLIGHTS, lambda path, t: t.astype({TIME: "datetime64[us]"}).to_parquet(path), "", True
    ),
    OddFile("a folder", OUTCOMES, folder),
    OddFile("a nested column", FLIGHTS, nested),
    OddFile("120,000 rows", FLIGHTS, large),
    OddFile("no rows", FLIGHTS, lambda path, table: table.head(0).to_parquet(path)),
)

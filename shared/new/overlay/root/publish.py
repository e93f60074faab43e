"""Publish rows of your own files for the daily run: `python publish.py FILE...`, CSV or Parquet.

Each day gets a file of what is known when a prediction is asked for, and one of how the rows ended, as far as that
is known. A row that is published again replaces what was there before.
"""

import csv
import gzip
import os
import sys
import zlib
«% if not sources[time] %»
from datetime import date, timedelta
«% endif %»
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

DROP = Path(os.environ.get("STAGE", "stage")) / "drop"
ID, TIME, TARGET = "«id»", "«time»", "«target»"
SOURCES = {  # the names here, and in your files
«% for name, own in sources.items() if own %»
«# A quotation mark in a name is written as \x22: the formatter would quote the name otherwise. #»
    "«name»": «(own|replace('"', '\ue000')|tojson).split('\\ue000')|join('\\x22')»,
«% endfor %»
}
KINDS = {
«% for column in columns %»
    "«column.name»": "«column.type»",
«% endfor %»
}
«% if sources[time] %»
OFFSET = r"(:\d\d(?:\.\d+)?)\s*(Z|[+-]\d\d(?::?\d\d)?)$"  # what comes before it, and the offset from UTC
«% endif %»
WORDS = {"true": 1, "yes": 1, "y": 1, "false": 0, "no": 0, "n": 0}
TYPES = {"category": pa.string(), "number": pa.float64()}
INSTANCES = pa.schema(
    {ID: pa.string(), TIME: pa.timestamp("ms"), **{name: TYPES[kind] for name, kind in KINDS.items()}}
)
OUTCOMES = pa.schema({ID: pa.string(), TARGET: pa.float64()})


def read(path: Path) -> pd.DataFrame:
    """Return a file of yours under the names here; a CSV as text."""
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PAR1":
        table = pq.read_table(path).to_pandas(ignore_metadata=True)
    else:
        packed = start.startswith(b"\x1f\x8b")
        with gzip.open(path, "rt", encoding="utf-8-sig") if packed else path.open(encoding="utf-8-sig") as text:
            header = text.readline()
            delimiter = max(",;\t", key=lambda mark: len(next(csv.reader([header], delimiter=mark))))
        with gzip.open(path) if packed else path.open("rb") as file:
            table = pd.read_csv(file, sep=delimiter, dtype=str, index_col=False)
    if missing := [own for name, own in SOURCES.items() if own not in table and name != TARGET]:
        raise ValueError(f"has no column {' and no column '.join(missing)}")
    names = {own: name for name, own in SOURCES.items() if own in table}
    return table[list(names)].rename(columns=names)


def convert(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a file as they are published, with the outcome where it is known."""
    convert_to = {"category": as_text, "number": as_number}
    rows = pd.DataFrame({name: convert_to[kind](table[name]) for name, kind in KINDS.items()})
«% if sources[time] %»
    rows.insert(0, TIME, as_time(table[TIME]))
«% else %»
    # Your files do not say when a row was: the last are of yesterday, and the first day takes what is left over.
    ago = pd.Series(range(len(rows) - 1, -1, -1), index=rows.index) // «rows_per_day»
    days = ago.clip(upper=max(len(rows) // «rows_per_day» - 1, 0))
    rows.insert(0, TIME, pd.Timestamp(date.today() - timedelta(days=1)) - pd.to_timedelta(days, unit="D"))
«% endif %»
«% if sources[id] %»
    rows.insert(0, ID, as_text(table[ID]))
    if rows[ID].isna().any():
        raise ValueError(f"column {SOURCES[ID]} is empty in {rows[ID].isna().sum()} rows")
«% else %»
    # Your files do not name rows: a row is named after what is in it, so that it has the same name next time.
    hashes = pd.util.hash_pandas_object(rows«% if not sources[time] %»[list(KINDS)]«% endif %», index=False)
    again = rows.groupby(hashes).cumcount()
    rows.insert(0, ID, [f"row-{name:016x}" + f"-{n}" * (n > 0) for name, n in zip(hashes, again, strict=True)])
«% endif %»
    rows[TARGET] = as_outcome(table[TARGET]) if TARGET in table else None
    return rows[rows[TIME].notna()].drop_duplicates(ID, keep="last")


def as_text(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return text without surrounding blanks; empty is missing."""
    text = column.map(lambda value: str(value).strip(), na_action="ignore").astype(object)
    return text.where(text.notna() & (text != ""), None)


def as_number(column: "pd.Series[Any]") -> "pd.Series[float]":
    """Return numbers; true and yes are 1, false and no are 0."""
    if not pd.api.types.is_numeric_dtype(column):
        text = as_text(column).str.lower()
        column = text.map(WORDS).where(text.isin(list(WORDS)), text)
    try:
        return pd.to_numeric(column).astype(float).replace([float("inf"), float("-inf")], float("nan"))
    except ValueError as error:
        raise ValueError(f"column {SOURCES[str(column.name)]} is a number, {error}") from error


«% if sources[time] %»
def as_time(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return times as they are written, without an offset."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.tz_localize(None)
    text = as_text(column)
    bare = text.str.replace(OFFSET, r"\1", regex=True)
    times = pd.to_datetime(bare, format="mixed", dayfirst=«dayfirst», errors="coerce")
    if times.isna().all():
        raise ValueError(f"column {SOURCES[TIME]} has no times: write them like 2024-03-01T06:30")
    if text[times.notna()].str.extract(OFFSET)[1].nunique(dropna=False) > 1:
        raise ValueError(f"column {SOURCES[TIME]} has several offsets from UTC: write all times in one zone")
    return times


«% endif %»
def as_outcome(column: "pd.Series[Any]") -> "pd.Series[float]":
«% if kind == "binary" %»
    """Return 1 and 0 where the outcome is known."""
    text = as_text(column).str.lower().str.replace(r"^(\d+)\.0+$", r"\1", regex=True)
    positive, negative = «positive|lower|tojson», «negative|lower|tojson»
    if others := set(text.dropna()) - {positive, negative}:
        other = ", ".join(sorted(others))
        raise ValueError(f"column {SOURCES[TARGET]} is {positive}, {negative} or empty, not {other}")
    return (text == positive).astype(float).where(text.notna())
«% else %»
    """Return numbers where the outcome is known."""
    return as_number(column)
«% endif %»


def merge(path: Path, rows: pd.DataFrame, schema: pa.Schema) -> None:
    """Add rows to a file, whole or not at all; a row that is there already is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(rows, schema=schema, preserve_index=False, safe=False)
    if path.exists():
        old = pq.read_table(path).to_pandas()
        kept = pa.Table.from_pandas(old[~old[ID].isin(rows[ID])], schema=schema, preserve_index=False)
        table = pa.concat_tables([kept, table])
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        pq.write_table(table, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def publish(path: Path) -> str:
    """Publish the rows of a file; return what was written, in words."""
    table = read(path)
    rows = convert(table)
    known = rows[TARGET].notna()
    days = rows[TIME].dt.strftime("%Y-%m-%d")
    for day, of_day in rows.groupby(days):
        merge(DROP / "instances" / f"{day}.parquet", of_day[INSTANCES.names], INSTANCES)
    for day, of_day in rows[known].groupby(days[known]):
        merge(DROP / "outcomes" / f"{day}.parquet", of_day[OUTCOMES.names], OUTCOMES)
    said = f"{path}: {len(rows):,} rows of {days.nunique()} days, {known.sum():,} with an outcome, are in {DROP}"
    left = len(table) - len(rows)
    return said + f"; {left:,} without a time, or named twice, were left out" * (left > 0)


def main() -> None:
    """Publish all files that are named."""
    if len(sys.argv) < 2:
        sys.exit("which file? python publish.py FILE...")
    for name in sys.argv[1:]:
        try:
            print(publish(Path(name)))
        except (ValueError, OSError, EOFError, zlib.error) as error:  # as CSV and Parquet raise them
            sys.exit(f"{name}: {error}")


if __name__ == "__main__":
    main()

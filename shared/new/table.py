"""Read a table of any kind, within bounds: CSV (packed or not) and Parquet."""

import csv
import gzip
import zlib
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..base import StageError

MAX_ROWS = 1_000_000
MAX_COLUMNS = 200
DELIMITERS = ",;\t"
CODE = r"0\d|\d{16}"  # looks like a number and is none: 01234, or more digits than a float holds
CHUNK = 100_000  # rows of a CSV that are read before they are counted
PARQUET, GZIP, ZIP = b"PAR1", b"\x1f\x8b", b"PK"  # how such files begin, whatever they are called
NEWEST = {
    "csv": "(head -n 1 {0}; tail -n {1} {0}) > newest.csv",
    "parquet": "pandas.read_parquet('{0}').sort_values(TIME).tail({1}).to_parquet('newest.parquet')",
}


class TableError(StageError):
    """A table cannot be used; the message says why, and what to do."""


def read(path: Path) -> pd.DataFrame:
    """Return the table in a file: text without surrounding blanks, and as numbers where all of it is.

    Raises:
        TableError: there is no such file, it is no table, or it is too large.
    """
    if not path.is_file():
        raise TableError(f"{path} is no file: name a CSV or a Parquet file")
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(ZIP):
        raise TableError(f"{path} is no table that can be read: save it as CSV or Parquet")
    table = _read_parquet(path) if start == PARQUET else _read_csv(path, packed=start.startswith(GZIP))
    if table.empty:
        raise TableError(f"{path} has no rows: name a file with some")
    return table.apply(tidy)


def tidy(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return text without surrounding blanks, and as numbers if all of it is; any other column as it is."""
    if not is_text(column):
        return column
    column = column.str.strip()
    column = column.where(column != "")
    texts = pd.Series(column.dropna().unique(), dtype=object)
    numbers = pd.to_numeric(texts, errors="coerce")
    if texts.empty or numbers.isna().any() or texts.str.match(CODE).any():
        return column.astype(object).where(column.notna(), None)
    return column.map(dict(zip(texts, numbers, strict=True))).astype(float)


def is_text(column: "pd.Series[Any]") -> bool:
    """Tell whether every value of a column is text or missing."""
    return pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty")


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        file = pq.ParquetFile(path)
        _check_size(path, "parquet", file.schema_arrow.names, file.metadata.num_rows)
        nested = [field.name for field in file.schema_arrow if pa.types.is_nested(field.type)]
        if nested:
            raise TableError(
                f"{path} has columns with several values in a cell: {', '.join(nested)}. Make them columns of "
                "their own, or leave them out"
            )
        table = file.read()
    except pa.ArrowException as error:
        raise TableError(f"{path} is no Parquet file that can be read, {error}: write it again") from error
    return pa.table({field.name: _plain(table[field.name]) for field in table.schema}).to_pandas(
        date_as_object=False
    )


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column without what only Parquet has: dictionaries and decimal numbers."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.float64()) if pa.types.is_decimal(column.type) else column


def _read_csv(path: Path, *, packed: bool) -> pd.DataFrame:
    try:
        delimiter, names = _header(path, packed=packed)
        _check_size(path, "csv", names, 0)
        parts, rows = [], 0
        for part in pd.read_csv(
            path,
            sep=delimiter,
            dtype="string[pyarrow]",  # a fraction of the memory of Python's own
            index_col=False,
            chunksize=CHUNK,
            compression="gzip" if packed else None,
        ):
            rows += len(part)
            _check_size(path, "csv", names, rows)
            parts.append(part)
    except UnicodeDecodeError as error:
        raise TableError(
            f"{path} is not in UTF-8: write it again, such as with iconv -f latin1 -t utf-8 {path} > new.csv"
        ) from error
    except (ValueError, OSError, EOFError, zlib.error, csv.Error) as error:
        raise TableError(f"{path} is no table that can be read, {error}: write it again") from error
    return pd.concat(parts)


def _header(path: Path, *, packed: bool) -> tuple[str, list[str]]:
    """Return the delimiter that makes the most columns of the first line, and their names."""
    with gzip.open(path, "rt", encoding="utf-8-sig") if packed else path.open(encoding="utf-8-sig") as file:
        line = file.readline(1_000_000)
    if not line.strip():
        raise TableError(f"{path} has no table in it: the first line has to name the columns")
    rows = {delimiter: next(csv.reader([line], delimiter=delimiter)) for delimiter in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda delimiter: len(rows[delimiter]))
    return delimiter, [name.strip() for name in rows[delimiter]]


def _check_size(path: Path, kind: str, names: list[str], rows: int) -> None:
    """Refuse what is too large, and names that stand for two columns."""
    if len(names) > MAX_COLUMNS:
        raise TableError(f"{path} has {len(names)} columns, and may have {MAX_COLUMNS}: leave some out")
    if rows > MAX_ROWS:
        newest = NEWEST[kind].format(path, MAX_ROWS)
        raise TableError(f"{path} has more than {MAX_ROWS:,} rows: take the newest, such as with {newest}")
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise TableError(f"{path} has two columns called {', '.join(twice)}: rename one")

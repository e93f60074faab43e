"""What a published file must be before it is collected: named after its day, bearable, readable, and no riddle."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

from ..config.problem import ID, OUTCOME, OUTCOMES
from ..errors import StageError

MAX_ROWS = 100_000  # in a file, of a day
MAX_DAYS_AHEAD = 31  # of the newest file before it


class BadFileError(StageError):
    """A published file cannot be used; the message says why."""


def check_place(path: Path) -> None:
    """Check what can be seen from outside, before anything is read: reading a pipe would never end.

    Raises:
        BadFileError: it is no file, or not named after a day.
    """
    if not path.is_file():
        raise BadFileError("is no file")
    try:
        named_after = date.fromisoformat(path.stem).isoformat()
    except ValueError:
        named_after = ""
    if named_after != path.stem:
        raise BadFileError("is not named after a day, such as 2013-03-01.parquet")


def check_date(path: Path, collected: list[str]) -> None:
    """Check that a file is not of a day far beyond those that were collected before, if there are any.

    Raises:
        BadFileError: it is.
    """
    newest = max((day for day in collected if day != path.stem), default=path.stem)
    ahead = (date.fromisoformat(path.stem) - date.fromisoformat(newest)).days
    if ahead > MAX_DAYS_AHEAD:
        raise BadFileError(f"is dated {ahead} days after the newest before it")


def check_content(path: Path, kind: str) -> None:
    """Check that a file can be read, and that outcomes are outcomes: labels, and what quality is measured by.

    What instances should look like is checked where they are used.

    Args:
        path: the file.
        kind: the folder that it was published in: `instances` or `outcomes`.

    Raises:
        BadFileError: naming what is wrong.
    """
    try:
        rows = pq.read_metadata(path).num_rows
        if rows > MAX_ROWS:
            raise BadFileError(f"has {rows:,} rows, and no day has more than {MAX_ROWS:,}")
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        if isinstance(error, OSError) and error.errno:  # of this machine, and not of the file
            raise
        raise BadFileError(f"is no Parquet file that can be read, {error}") from error
    if kind == OUTCOMES:
        _check_outcomes(table)


def _check_outcomes(table: pa.Table) -> None:
    kinds = {ID: _is_text, OUTCOME: _is_number}
    if sorted(table.column_names) != sorted(kinds):
        raise BadFileError(f"needs the columns {' and '.join(kinds)}, and has {', '.join(table.column_names)}")
    if not table.num_rows:
        return  # and no types either
    for name, is_right in kinds.items():
        if not is_right(kind := table.schema.field(name).type):
            raise BadFileError(f"{name} cannot be of the type {kind}")
    outcomes = table.to_pandas().drop_duplicates()
    contradicted = outcomes.loc[outcomes[ID].duplicated(), ID]
    if not contradicted.empty:
        raise BadFileError(f"says two things about {len(contradicted)} instances, one is {contradicted.iloc[0]}")


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if types.is_dictionary(kind) else kind
    return types.is_string(kind) or types.is_large_string(kind) or types.is_null(kind)


def _is_number(kind: pa.DataType) -> bool:
    return types.is_floating(kind) or types.is_integer(kind) or types.is_null(kind)

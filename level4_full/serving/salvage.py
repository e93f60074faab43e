"""The way back from a damaged prediction log: what can be read is kept, and so is the damaged file."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from .prediction_log import SCHEMA

SMALLEST = 100  # bytes: no prediction takes less, so a file's size says how many it can have
DAMAGED = ".damaged"  # the ending of the copy
Row = tuple[object, ...]


def salvage(path: Path) -> str:
    """Make a damaged log whole; return what was kept, for people.

    All in one transaction: who writes meanwhile waits, and then writes to the new tables. The old ones are
    forgotten and not deleted, since that would read every page of them.

    Raises:
        sqlite3.Error: the damage is at the beginning of the file; nothing was changed.
    """
    # One connection reads, since after an error in it a transaction cannot be committed.
    with closing(_connect(path)) as reading, closing(_connect(path)) as writing:
        if _is_whole(reading):
            return "the prediction log is not damaged"
        writing.execute("BEGIN IMMEDIATE")
        bytes_ = sum(_copy(file) for file in (path, path.with_name(f"{path.name}-wal")) if file.exists())
        rows = list(_readable(reading, 0, bytes_ // SMALLEST))
        writing.execute("PRAGMA writable_schema=ON")
        writing.execute("DELETE FROM sqlite_schema WHERE tbl_name = 'predictions'")
        writing.execute("PRAGMA writable_schema=RESET")
        for statement in SCHEMA.split(";\n"):
            writing.execute(statement)
        kept = sum(_insert(writing, row) for row in rows)
        writing.execute("COMMIT")
    with closing(_connect(path)) as connection:
        connection.execute("VACUUM")  # gives the pages of the old tables back
    newest = rows[-1][0] if rows else 0
    return f"kept {kept:,} of {newest:,} predictions; a copy of the damaged log is {path.name}{DAMAGED}"


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=30, isolation_level=None)


def _is_whole(log: sqlite3.Connection) -> bool:
    try:
        return log.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    except sqlite3.DatabaseError:
        return False


def _copy(file: Path) -> int:
    """Keep a copy of a file of the log; return its size in bytes."""
    shutil.copy(file, file.with_name(file.name.replace(".db", f".db{DAMAGED}", 1)))
    return file.stat().st_size


def _readable(log: sqlite3.Connection, first: int, last: int) -> Iterator[Row]:
    """Yield the rows with these ids that can be read: where a range has a damaged page, its halves are tried."""
    try:
        query = "SELECT * FROM predictions NOT INDEXED WHERE id BETWEEN ? AND ?"
        yield from log.execute(query, [first, last]).fetchall()
    except sqlite3.Error:
        if first < last:
            middle = (first + last) // 2
            yield from _readable(log, first, middle)
            yield from _readable(log, middle + 1, last)


def _insert(log: sqlite3.Connection, row: Row) -> int:
    """Insert a row; return 0 if what was read of it is no prediction."""
    with suppress(sqlite3.Error):
        return log.execute(f"INSERT INTO predictions VALUES ({', '.join('?' * len(row))})", row).rowcount  # noqa: S608
    return 0

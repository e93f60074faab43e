"""The way back from a damaged prediction log: what can be read is kept, and so is the damaged file."""

«% if kind == "binary" %»
import json
«% else %»
import json
import math
«% endif %»
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from ..config.database import Address, is_server
from ..errors import StageError
from .prediction_log import SCHEMA

SMALLEST = 100  # bytes: no prediction takes less, so a file's size says how many it can have
JSON = "others", "inputs"


class BeyondSalvageError(StageError):
    """Nothing of the log can be read; it was left as it is."""


def salvage(address: Address) -> str:
    """Make a damaged log whole; return what was kept, for people.

    All in one transaction: who writes meanwhile waits, and then writes to the new tables. The old ones are
    forgotten and not deleted, since that would read every page of them.

    Raises:
        BeyondSalvageError: the damage is where the tables are described, or where all their pages are listed; or a
            server keeps the log.
    """
    if is_server(address):
        raise BeyondSalvageError("a server keeps the prediction log: restore it from the backups of that server")
    path = Path(address)
    # One connection reads, since after an error in it a transaction cannot be committed.
    with closing(_connect(path)) as reading, closing(_connect(path)) as writing:
        reading.row_factory = sqlite3.Row
        try:
            writing.execute("BEGIN IMMEDIATE")
            reading.execute("SELECT * FROM predictions LIMIT 0")
        except sqlite3.Error as error:
            raise BeyondSalvageError(
                f"{path} is damaged at its beginning, {error}: start with an empty one"
            ) from error
        if _is_whole(reading):
            return "the prediction log is not damaged"
        last = _last_id(reading, path)
        rows = list(_readable(reading, 1, last))
        if not rows:
            raise BeyondSalvageError(f"nothing of {path} can be read: start with an empty one, and keep it")
        copy = _copy(path)
        _replace_tables(writing)
        kept = sum(_insert(writing, row) for row in rows)
        writing.execute("COMMIT")
    of = f"{max(last, len(rows)):,} predictions"
    return f"kept {kept:,} of {of}; {copy} is a copy of the damaged log{_shrink(path)}"


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=30, isolation_level=None)


def _is_whole(log: sqlite3.Connection) -> bool:
    """Tell whether every page is as it should be, and every row can be read."""
    try:
        for _ in log.execute("SELECT * FROM predictions"):
            pass
        return [tuple(row) for row in log.execute("PRAGMA integrity_check")] == [("ok",)]
    except sqlite3.Error:
        return False


def _last_id(log: sqlite3.Connection, path: Path) -> int:
    """Return the newest id, from an index; if that is damaged too, the highest that the file has room for."""
    try:
        newest = log.execute("SELECT max(id) FROM predictions INDEXED BY by_instance").fetchone()[0]
    except sqlite3.Error:
        newest = None
    files = path, path.with_name(f"{path.name}-wal")
    room = sum(file.stat().st_size for file in files if file.exists()) // SMALLEST
    return min(newest or room, room)


def _copy(path: Path) -> str:
    """Keep a copy of the damaged file and of what was not written into it yet; return its name."""
    name = f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    for end in ("", "-wal"):
        if (file := path.with_name(path.name + end)).exists() and file.stat().st_size:
            # By another process: one that closes a database file loses all its locks on it.
            subprocess.run(["cp", str(file), str(path.with_name(name + end))], check=True)
    return name


def _readable(log: sqlite3.Connection, first: int, last: int) -> Iterator[sqlite3.Row]:
    """Yield the rows with these ids that can be read: where a range is not whole, its halves are tried.

    A damaged page may end a range early without an error, so that it counts only if every id is there.
    """
    query = "SELECT * FROM predictions NOT INDEXED WHERE id BETWEEN ? AND ?"
    try:
        rows = log.execute(query, [first, last]).fetchall()
    except sqlite3.Error:
        rows = []
    if first == last or [row["id"] for row in rows] == list(range(first, last + 1)):
        yield from rows
        return
    middle = (first + last) // 2
    yield from _readable(log, first, middle)
    yield from _readable(log, middle + 1, last)


def _replace_tables(log: sqlite3.Connection) -> None:
    log.execute("PRAGMA writable_schema=ON")
    log.execute("DELETE FROM sqlite_schema WHERE tbl_name = 'predictions'")
    log.execute("PRAGMA writable_schema=RESET")
    for statement in SCHEMA.split(";\n"):
        log.execute(statement)


def _insert(log: sqlite3.Connection, row: sqlite3.Row) -> int:
    """Insert a row; return 0 if what was read of it is no prediction."""
    try:
        for name in JSON:
            json.loads(row[name])
«% if kind == "binary" %»
        if not 0 <= row["«prediction»"] <= 1:
«% else %»
        if not math.isfinite(row["«prediction»"]):
«% endif %»
            return 0
        marks = ", ".join("?" * len(row))
        return log.execute(f"INSERT INTO predictions VALUES ({marks})", tuple(row)).rowcount  # noqa: S608
    except (ValueError, TypeError, sqlite3.IntegrityError):
        return 0


def _shrink(path: Path) -> str:
    """Give the pages of the old tables back; return what to say if there is no room for that now."""
    try:
        with closing(_connect(path)) as log:
            log.execute("VACUUM")
        return ""
    except sqlite3.Error as error:
        return f"; its file could not be made smaller, {error}"

"""The prediction log: what was predicted, by which model, from which inputs; in SQLite, whole or not at all."""

import json
import math
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from ..config.problem import ID, TIME, WHO
from ..data.schema import Flight

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS predictions (
  id INTEGER PRIMARY KEY,
  asked_at TEXT NOT NULL,          -- UTC
  {ID} TEXT NOT NULL,
  {TIME} TEXT NOT NULL,
  experiment TEXT,                 -- null outside experiments
  arm TEXT NOT NULL,
  model TEXT NOT NULL,
  late_probability REAL NOT NULL,
  others TEXT NOT NULL,            -- by model, JSON: what others predicted that did not serve this flight
  inputs TEXT NOT NULL             -- the flight as requested, JSON
);
CREATE INDEX IF NOT EXISTS by_flight ON predictions ({ID});
CREATE INDEX IF NOT EXISTS by_experiment ON predictions (experiment);
"""
COLUMNS = f"asked_at {ID} {TIME} experiment arm model late_probability others inputs"
SECONDS_UNREADY = 10.0  # after a failure; then a request may try again


@dataclass(frozen=True)
class Logged:
    """One prediction of a response, as it is logged before the response is sent."""

    flight: Flight  # as requested
    arm: str
    model: str
    late_probability: float
    experiment: str | None = None
    others: Mapping[str, float] = field(default_factory=dict)  # by model


def connect(path: Path) -> sqlite3.Connection:
    """Connect to the log, making it on first use; many processes may be connected."""
    connection = sqlite3.connect(path, timeout=30, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")  # readers do not wait for writers
    connection.execute("PRAGMA synchronous=NORMAL")  # survives the death of a process
    connection.executescript(SCHEMA)
    return connection


@contextmanager
def open_log(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the log for as long as the block runs."""
    with closing(connect(path)) as connection:
        yield connection


class LogWriter:
    """What the service writes with: one connection, kept, since opening one takes longer than all of a request."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = threading.Lock()
        self._failed_at = -math.inf

    @cached_property
    def _connection(self) -> sqlite3.Connection:
        return connect(self.path)

    def append(self, predictions: list[Logged]) -> None:
        """Write the predictions of one request, from any thread; see `append`."""
        with self._writing:
            try:
                append(self._connection, predictions)
            except sqlite3.Error:
                self._failed_at = time.monotonic()
                raise

    def failed_lately(self) -> bool:
        """Tell whether something could not be written in the last seconds."""
        return time.monotonic() - self._failed_at < SECONDS_UNREADY


def append(connection: sqlite3.Connection, predictions: list[Logged]) -> None:
    """Write the predictions of one request, all or none; they are durable when this returns."""
    now = datetime.now(UTC).isoformat()
    rows = [
        (
            now,
            getattr(entry.flight, ID),
            getattr(entry.flight, TIME).isoformat(),
            entry.experiment,
            entry.arm,
            entry.model,
            entry.late_probability,
            json.dumps(entry.others, allow_nan=False),
            entry.flight.model_dump_json(),
        )
        for entry in predictions
    ]
    marks = ", ".join("?" * len(COLUMNS.split()))
    with connection:
        connection.executemany(f"INSERT INTO predictions ({', '.join(COLUMNS.split())}) VALUES ({marks})", rows)  # noqa: S608


def experiment_predictions(path: Path, experiment: str) -> list[sqlite3.Row]:
    """Return the last prediction for each flight of an experiment."""
    return _last_predictions(path, "experiment = ?", experiment)


def predictions_since(path: Path, day: str) -> list[sqlite3.Row]:
    """Return the last prediction for each flight that departs on a day (`2013-03-01`) or later."""
    return _last_predictions(path, f"{TIME} >= ?", day)


def _last_predictions(path: Path, condition: str, value: str) -> list[sqlite3.Row]:
    query = f"""
    SELECT {ID}, arm, model, late_probability, others
    FROM predictions WHERE id IN (SELECT max(id) FROM predictions WHERE {condition} GROUP BY {ID})
    """  # noqa: S608 - the condition is one of the two above
    with open_log(path) as connection:
        return connection.execute(query, [value]).fetchall()


def last_prediction(path: Path, flight_id: str) -> sqlite3.Row | None:
    """Return the newest prediction for a flight."""
    query = f"SELECT * FROM predictions WHERE {ID} = ? ORDER BY id DESC LIMIT 1"  # noqa: S608
    with open_log(path) as connection:
        row: sqlite3.Row | None = connection.execute(query, [flight_id]).fetchone()
        return row


def forget(path: Path, who: str) -> int:
    """Delete the predictions about somebody, with what is left of them on free pages; return how many."""
    about = " || ' ' || ".join(f"json_extract(inputs, '$.{name}')" for name in WHO)
    with open_log(path) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        with connection:
            deleted = connection.execute(f"DELETE FROM predictions WHERE {about} = ?", [who]).rowcount  # noqa: S608
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return deleted

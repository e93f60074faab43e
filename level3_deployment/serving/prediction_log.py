"""The prediction log: what was answered, by whom, from which inputs; in SQLite, whole or not at all."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS predictions (
  id INTEGER PRIMARY KEY,
  asked_at TEXT NOT NULL,          -- UTC
  flight_id TEXT NOT NULL,
  scheduled_departure TEXT NOT NULL,
  experiment TEXT,                 -- null outside experiments
  arm TEXT NOT NULL,
  model TEXT NOT NULL,
  late_probability REAL NOT NULL,
  champion_probability REAL,       -- what the champion would have said, where the challenger answered
  inputs TEXT NOT NULL             -- the flight as it was asked, JSON
);
CREATE INDEX IF NOT EXISTS by_flight ON predictions (flight_id);
CREATE INDEX IF NOT EXISTS by_experiment ON predictions (experiment, arm);
"""
COLUMNS = (
    "asked_at flight_id scheduled_departure experiment arm model late_probability champion_probability inputs"
)


@dataclass(frozen=True)
class Logged:
    """One answered prediction."""

    inputs: dict[str, Any]  # the flight as it was asked
    arm: str
    model: str
    late_probability: float
    experiment: str | None = None
    champion_probability: float | None = None

    @property
    def flight_id(self) -> str:
        """Return the flight that was asked about."""
        return str(self.inputs["flight_id"])


@contextmanager
def open_log(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the log, making it on first use; many processes may have it open."""
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode=WAL")  # readers do not wait for writers
        connection.execute("PRAGMA synchronous=NORMAL")  # survives the death of a process
        connection.executescript(SCHEMA)
        yield connection


def append(connection: sqlite3.Connection, answers: list[Logged]) -> None:
    """Write the answers of one request, all or none; they are there when this returns."""
    now = datetime.now(UTC).isoformat()
    rows = [
        (
            now,
            each.flight_id,
            each.inputs["scheduled_departure"],
            each.experiment,
            each.arm,
            each.model,
            each.late_probability,
            each.champion_probability,
            json.dumps(each.inputs),
        )
        for each in answers
    ]
    marks = ", ".join("?" * len(COLUMNS.split()))
    with connection:
        connection.executemany(f"INSERT INTO predictions ({', '.join(COLUMNS.split())}) VALUES ({marks})", rows)  # noqa: S608


def challenger_answers(path: Path, experiment: str) -> list[sqlite3.Row]:
    """Return the last answer for each flight that the challenger answered, in order of departure."""
    query = """
    SELECT flight_id, scheduled_departure, late_probability, champion_probability,
           json_extract(inputs, '$.carrier') || json_extract(inputs, '$.flight') AS flight_number
    FROM predictions
    WHERE id IN (SELECT max(id) FROM predictions WHERE experiment = ? AND arm = 'challenger' GROUP BY flight_id)
    ORDER BY scheduled_departure, flight_id
    """
    with open_log(path) as connection:
        return connection.execute(query, [experiment]).fetchall()


def last_answer(path: Path, flight_id: str) -> sqlite3.Row | None:
    """Return the newest answer given for a flight."""
    query = "SELECT * FROM predictions WHERE flight_id = ? ORDER BY id DESC LIMIT 1"
    with open_log(path) as connection:
        row: sqlite3.Row | None = connection.execute(query, [flight_id]).fetchone()
        return row

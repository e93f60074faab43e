"""The metrics store in SQLite: what was measured, by day, model, metric and slice, and what was decided."""

import json
import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pandas as pd

from .alarm import Cause

SCHEMA = """
CREATE TABLE IF NOT EXISTS metrics (
  day TEXT NOT NULL, model TEXT NOT NULL, name TEXT NOT NULL, slice TEXT NOT NULL, value REAL NOT NULL,
  PRIMARY KEY (day, model, name, slice)
);
CREATE TABLE IF NOT EXISTS decisions (
  id TEXT PRIMARY KEY,             -- on everything that follows from it, from the alarm to the release
  day TEXT NOT NULL,
  action TEXT NOT NULL,
  cause TEXT NOT NULL,
  policy TEXT NOT NULL,            -- SHA-256 of the policy that decided
  evidence TEXT NOT NULL,          -- JSON
  status TEXT NOT NULL,
  result TEXT NOT NULL             -- for people
);
CREATE TABLE IF NOT EXISTS changes (at TEXT, id TEXT, status TEXT, result TEXT); -- of decisions, with their times
CREATE TRIGGER IF NOT EXISTS taken AFTER INSERT ON decisions BEGIN
  INSERT INTO changes VALUES (strftime('%Y-%m-%dT%H:%M:%f000'), new.id, new.status, new.result); END;
CREATE TRIGGER IF NOT EXISTS changed AFTER UPDATE ON decisions BEGIN
  INSERT INTO changes VALUES (strftime('%Y-%m-%dT%H:%M:%f000'), new.id, new.status, new.result); END;
"""
ALL = ""  # the slice that holds every instance


class Action(StrEnum):
    """What a decision does."""

    NOTHING = "nothing"
    REFIT = "refit in the shadow"
    RETRAIN = "retrain"
    HOLD = "hold"
    RESUME = "resume"


class Status(StrEnum):
    """What has become of a decision."""

    OPEN = "open"  # nobody has heard of it yet, or its hold lasts
    RUNNING = "running"  # its training
    DONE = "done"
    REFUSED = "refused"  # its training or the model was refused
    FAILED = "failed"
    LOST = (
        "lost"  # nobody heard of it, or who trained was killed: no training failed, and none has to be waited for
    )


@dataclass(frozen=True)
class Record:
    """A decision that was taken, and what has become of it."""

    id: str
    day: str
    action: Action
    cause: Cause
    policy: str
    evidence: dict[str, Any]
    status: Status = Status.OPEN
    result: str = ""


@contextmanager
def open_store(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the store, making it on first use."""
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(SCHEMA)
        yield connection


def write(store: sqlite3.Connection, day: str, model: str, values: Mapping[tuple[str, str], float]) -> None:
    """Keep the metrics of a day, by (name, slice); measured again, as for delayed outcomes, they replace the old."""
    rows = [(day, model, name, slice_, value) for (name, slice_), value in values.items() if pd.notna(value)]
    with store:
        store.executemany("INSERT OR REPLACE INTO metrics VALUES (?, ?, ?, ?, ?)", rows)


def read(store: sqlite3.Connection, model: str, first: str, last: str) -> pd.DataFrame:
    """Return the metrics of a model over all instances, one column each, one row per day from `first` to `last`."""
    query = "SELECT day, name, value FROM metrics WHERE model = ? AND slice = ? AND day BETWEEN ? AND ?"
    rows = store.execute(query, [model, ALL, first, last]).fetchall()
    return pd.DataFrame(map(dict, rows), columns=["day", "name", "value"]).pivot(
        index="day", columns="name", values="value"
    )


def by_slice(store: sqlite3.Connection, model: str, day: str, name: str) -> dict[str, float]:
    """Return one metric of a model on a day, by slice."""
    query = "SELECT slice, value FROM metrics WHERE model = ? AND day = ? AND name = ?"
    return {row["slice"]: row["value"] for row in store.execute(query, [model, day, name])}


def record(store: sqlite3.Connection, decision: Record) -> None:
    """Record a decision; one of the same id is replaced."""
    with store:
        store.execute(
            "INSERT OR REPLACE INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                decision.id,
                decision.day,
                decision.action,
                decision.cause,
                decision.policy,
                json.dumps(_plain(decision.evidence), allow_nan=False),
                decision.status,
                decision.result,
            ],
        )


def _plain(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Return evidence as JSON knows it, where no number is none."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in evidence.items()
    }


def conclude(store: sqlite3.Connection, decision_id: str, status: Status, result: str) -> None:
    """Record what has become of a decision."""
    with store:
        store.execute("UPDATE decisions SET status = ?, result = ? WHERE id = ?", [status, result, decision_id])


def take(store: sqlite3.Connection, decision_id: str) -> bool:
    """Mark an open decision as running, unless somebody has done that before; tell whether it was done."""
    query = "UPDATE decisions SET status = ? WHERE id = ? AND status = ? AND action = ?"
    with store:
        taken = store.execute(query, [Status.RUNNING, decision_id, Status.OPEN, Action.RETRAIN])
    return taken.rowcount == 1


def changes(store: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return what became of decisions and when (UTC), oldest first."""
    query = "SELECT day, action, cause, changes.* FROM changes JOIN decisions USING (id) ORDER BY changes.rowid"
    return [dict(row) for row in store.execute(query)]


def decisions(store: sqlite3.Connection) -> list[Record]:
    """Return all decisions, oldest first."""
    rows = [dict(row) for row in store.execute("SELECT * FROM decisions ORDER BY day, id")]
    return [
        Record(
            **row
            | {
                "action": Action(row["action"]),
                "cause": Cause(row["cause"]),
                "evidence": json.loads(row["evidence"]),
                "status": Status(row["status"]),
            }
        )
        for row in rows
    ]

"""The store of what was measured and decided: one row per day, model and measure; in SQLite."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

SCHEMA = """
CREATE TABLE IF NOT EXISTS measures (
  day TEXT NOT NULL, model TEXT NOT NULL, name TEXT NOT NULL, slice TEXT NOT NULL, value REAL NOT NULL,
  PRIMARY KEY (day, model, name, slice)
);
CREATE TABLE IF NOT EXISTS decisions (
  id TEXT PRIMARY KEY,             -- goes with what it caused, from the alarm to the release
  day TEXT NOT NULL,
  decision TEXT NOT NULL,          -- retrain, hold, resume, roll back
  cause TEXT NOT NULL,
  policy TEXT NOT NULL,            -- hash of the policy that decided
  evidence TEXT NOT NULL,          -- JSON
  result TEXT                      -- what came of it, in words
);
"""
ALL = ""  # the slice that holds every flight


@contextmanager
def open_store(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the store, making it on first use."""
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(SCHEMA)
        yield connection


def write(store: sqlite3.Connection, day: str, model: str, values: Mapping[tuple[str, str], float]) -> None:
    """Keep a day's measures, by (name, slice); measured again, as for late outcomes, they replace the old."""
    rows = [(day, model, name, cut, value) for (name, cut), value in values.items() if pd.notna(value)]
    with store:
        store.executemany("INSERT OR REPLACE INTO measures VALUES (?, ?, ?, ?, ?)", rows)


def read(store: sqlite3.Connection, model: str, first: str, last: str) -> pd.DataFrame:
    """Return the measures of a model over all flights, one column each, one row per day from `first` to `last`."""
    query = "SELECT day, name, value FROM measures WHERE model = ? AND slice = ? AND day BETWEEN ? AND ?"
    rows = store.execute(query, [model, ALL, first, last]).fetchall()
    return pd.DataFrame(map(dict, rows), columns=["day", "name", "value"]).pivot(
        index="day", columns="name", values="value"
    )


def slices(store: sqlite3.Connection, model: str, day: str, name: str) -> dict[str, float]:
    """Return one measure of a model on a day, by slice."""
    query = "SELECT slice, value FROM measures WHERE model = ? AND day = ? AND name = ?"
    return {row["slice"]: row["value"] for row in store.execute(query, [model, day, name])}


def decide(store: sqlite3.Connection, row: Mapping[str, Any]) -> None:
    """Write a decision down; `evidence` may be any JSON."""
    with store:
        store.execute(
            "INSERT OR REPLACE INTO decisions VALUES (?, ?, ?, ?, ?, ?, NULL)",
            [row["id"], row["day"], row["decision"], row["cause"], row["policy"], json.dumps(row["evidence"])],
        )


def conclude(store: sqlite3.Connection, name: str, result: str) -> None:
    """Write down what came of a decision."""
    with store:
        store.execute("UPDATE decisions SET result = ? WHERE id = ?", [result, name])


def result_of(store: sqlite3.Connection, name: str) -> str | None:
    """Return what came of a decision, as far as it is known."""
    (result,) = store.execute("SELECT result FROM decisions WHERE id = ?", [name]).fetchone()
    return str(result) if result else None


def decisions(store: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return the decisions that were taken, oldest first."""
    rows = store.execute("SELECT * FROM decisions ORDER BY day, id").fetchall()
    return [dict(row) | {"evidence": json.loads(row["evidence"])} for row in rows]

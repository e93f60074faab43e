"""The metrics store: what was measured, by day, model, metric and slice; decisions are kept beside it."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

import pandas as pd

from ..config import database
from ..config.database import Address, Database, is_server

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
CREATE TABLE IF NOT EXISTS decision_changes (
  number INTEGER PRIMARY KEY,
  at TEXT NOT NULL,                -- UTC
  id TEXT NOT NULL,
  status TEXT NOT NULL,
  result TEXT NOT NULL
);
"""
# Of a file from before this could be a server: triggers kept the changes, in a table without numbers.
TAKE_OVER = (
    "INSERT INTO decision_changes (at, id, status, result) "
    "SELECT at, id, status, result FROM changes ORDER BY rowid",
    "DROP TRIGGER taken",
    "DROP TRIGGER changed",
    "DROP TABLE changes",
)
ALL = ""  # the slice that holds every instance


@contextmanager
def open_store(address: Address) -> Iterator[Database]:
    """Open the store, making it on first use."""
    with closing(database.connect(address)) as store:
        store.make(SCHEMA)
        if not is_server(address) and _has_triggers(store):
            with store.transaction():
                store.execute("BEGIN IMMEDIATE")  # another process may be doing the same
                for statement in TAKE_OVER if _has_triggers(store) else ():
                    store.execute(statement)
        yield store


def _has_triggers(store: Database) -> bool:
    return bool(store.rows("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name = 'taken'"))


def write(store: Database, day: str, model: str, values: Mapping[tuple[str, str], float]) -> None:
    """Keep the metrics of a day, by (name, slice); measured again, as for delayed outcomes, they replace the old."""
    rows = [(day, model, name, slice_, value) for (name, slice_), value in values.items() if pd.notna(value)]
    with store.transaction():
        store.executemany(
            "INSERT INTO metrics VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (day, model, name, slice) DO UPDATE SET value = excluded.value",
            rows,
        )


def read(store: Database, model: str, first: str, last: str) -> pd.DataFrame:
    """Return the metrics of a model over all instances, one column each, one row per day from `first` to `last`."""
    query = "SELECT day, name, value FROM metrics WHERE model = ? AND slice = ? AND day BETWEEN ? AND ?"
    rows = store.rows(query, [model, ALL, first, last])
    return pd.DataFrame(rows, columns=["day", "name", "value"]).pivot(index="day", columns="name", values="value")


def by_slice(store: Database, model: str, day: str, name: str) -> dict[str, float]:
    """Return one metric of a model on a day, by slice."""
    query = "SELECT slice, value FROM metrics WHERE model = ? AND day = ? AND name = ?"
    return {row["slice"]: row["value"] for row in store.rows(query, [model, day, name])}

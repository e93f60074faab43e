"""The prediction log: what was predicted, by which model, from which inputs; a request's whole or not at all."""

import json
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import SimpleQueue

from ..config import database
from ..config.database import Address, Database, DatabaseError, Row, is_server
from ..config.problem import ID, TIME, WHO
from ..data.schema import Flight

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS predictions (
  id INTEGER PRIMARY KEY,
  asked_at TEXT NOT NULL,          -- UTC
  "{ID}" TEXT NOT NULL,
  "{TIME}" TEXT NOT NULL,
  experiment TEXT,                 -- null outside experiments
  arm TEXT NOT NULL,
  model TEXT NOT NULL,
  late_probability REAL NOT NULL,
  others TEXT NOT NULL,            -- by model, JSON: what others predicted that did not serve this flight
  inputs TEXT NOT NULL             -- the flight as requested, JSON
);
CREATE INDEX IF NOT EXISTS by_flight ON predictions ("{ID}");
CREATE INDEX IF NOT EXISTS by_experiment ON predictions (experiment);
"""
COLUMNS = f'asked_at "{ID}" "{TIME}" experiment arm model late_probability others inputs'
MARKS = ", ".join("?" * len(COLUMNS.split()))
INSERT = f"INSERT INTO predictions ({', '.join(COLUMNS.split())}) VALUES ({MARKS})"  # noqa: S608 - of our own names
SECONDS_UNREADY = 10.0  # after a failure; then a request may try again
SECONDS_TO_WRITE = 3.0  # for a server
SECONDS_LOST = 1.0  # after that, a request connects to it again
CONNECTIONS = 4  # to a server, which makes the transactions of several durable at once


@dataclass(frozen=True)
class Logged:
    """One prediction of a response, as it is logged before the response is sent."""

    flight: Flight  # as requested
    arm: str
    model: str
    late_probability: float
    experiment: str | None = None
    others: Mapping[str, float] = field(default_factory=dict)  # by model


def connect(address: Address, seconds: float | None = None) -> Database:
    """Connect to the log, making it on first use; many processes may be connected."""
    log = database.connect(address, "NORMAL", seconds)
    log.make(SCHEMA)
    return log


@contextmanager
def open_log(address: Address) -> Iterator[Database]:
    """Open the log for as long as the block runs."""
    with closing(connect(address)) as log:
        yield log


class LogWriter:
    """What the service writes with: connections are kept, since making one takes longer than all of a request."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.is_far = is_server(address)  # to write takes a round trip, in which others can be answered
        self._free: SimpleQueue[Database | None] = SimpleQueue()
        for _ in range(CONNECTIONS if self.is_far else 1):
            self._free.put(None)
        self._failed_at = self._lost_at = -math.inf

    def append(self, predictions: list[Logged]) -> None:
        """Write the predictions of one request, from any thread; see `append`."""
        log = self._free.get()
        try:
            if log is not None and log.is_lost():  # while nobody wrote
                log = None
            log = log or self._connect()
            append(log, predictions)
        except DatabaseError:
            self._failed_at = time.monotonic()
            if log is not None and log.is_lost():
                self._lost_at, log = self._failed_at, None
            raise
        finally:
            self._free.put(log)

    def _connect(self) -> Database:
        """Connect; to a server that was not there a moment ago only once a second, since requests wait for it."""
        if self.is_far and time.monotonic() - self._lost_at < SECONDS_LOST:
            raise DatabaseError("its server does not answer")
        try:
            return connect(self.address, SECONDS_TO_WRITE)
        except DatabaseError:
            self._lost_at = time.monotonic()
            raise

    def failed_lately(self) -> bool:
        """Tell whether something could not be written in the last seconds."""
        return time.monotonic() - self._failed_at < SECONDS_UNREADY


def append(log: Database, predictions: list[Logged]) -> None:
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
            entry.late_probability if math.isfinite(entry.late_probability) else None,  # which no log takes
            json.dumps(entry.others, allow_nan=False),
            entry.flight.model_dump_json(),
        )
        for entry in predictions
    ]
    with log.transaction():
        log.executemany(INSERT, rows)


def experiment_predictions(address: Address, experiment: str) -> list[Row]:
    """Return the last prediction for each flight of an experiment."""
    return _last_predictions(address, "experiment = ?", experiment)


def predictions_since(address: Address, day: str) -> list[Row]:
    """Return the last prediction for each flight that departs on a day (`2013-03-01`) or later."""
    return _last_predictions(address, f'"{TIME}" >= ?', day)


def _last_predictions(address: Address, condition: str, value: str) -> list[Row]:
    query = f"""
    SELECT "{ID}", arm, model, late_probability, others
    FROM predictions WHERE id IN (SELECT max(id) FROM predictions WHERE {condition} GROUP BY "{ID}")
    """  # noqa: S608 - the condition is one of the two above
    with open_log(address) as log:
        return log.rows(query, [value])


def last_prediction(address: Address, flight_id: str) -> Row | None:
    """Return the newest prediction for a flight."""
    query = f'SELECT * FROM predictions WHERE "{ID}" = ? ORDER BY id DESC LIMIT 1'  # noqa: S608
    with open_log(address) as log:
        return next(iter(log.rows(query, [flight_id])), None)


def forget(address: Address, who: str) -> int:
    """Delete the predictions about somebody, with what is left of them on free pages; return how many."""
    with open_log(address) as log:
        about = " || ' ' || ".join(log.member.format("inputs", name) for name in WHO)
        return log.erase("predictions", f"{about} = ?", [who])

"""The metrics store, in a file and on a server: what replaces what, and what became of decisions."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from ...config.database import Address, DatabaseError
from ...monitoring import decisions, store
from ...monitoring.alarm import Cause
from ...monitoring.decisions import Action, Record, Status
from ...monitoring.store import ALL
from ...serving import calibration
from ...serving.calibration import Calibration
from ...serving.prediction_log import open_log

# As a store was made before it could be on a server, with one decision that was taken and concluded.
BEFORE = """
CREATE TABLE metrics (
  day TEXT NOT NULL, model TEXT NOT NULL, name TEXT NOT NULL, slice TEXT NOT NULL, value REAL NOT NULL,
  PRIMARY KEY (day, model, name, slice)
);
CREATE TABLE decisions (
  id TEXT PRIMARY KEY, day TEXT NOT NULL, action TEXT NOT NULL, cause TEXT NOT NULL, policy TEXT NOT NULL,
  evidence TEXT NOT NULL, status TEXT NOT NULL, result TEXT NOT NULL
);
CREATE TABLE changes (at TEXT, id TEXT, status TEXT, result TEXT);
CREATE TRIGGER taken AFTER INSERT ON decisions BEGIN
  INSERT INTO changes VALUES (strftime('%Y-%m-%dT%H:%M:%f000'), new.id, new.status, new.result); END;
CREATE TRIGGER changed AFTER UPDATE ON decisions BEGIN
  INSERT INTO changes VALUES (strftime('%Y-%m-%dT%H:%M:%f000'), new.id, new.status, new.result); END;
INSERT INTO metrics VALUES ('2013-03-01', 'm/1', 'bias', '', 0.25);
INSERT INTO decisions VALUES ('a', '2013-03-01', 'retrain', 'drift', '', '{}', 'open', '');
UPDATE decisions SET status = 'done', result = 'version 2' WHERE id = 'a';
"""


def decision(name: str, action: Action = Action.RETRAIN) -> Record:
    return Record(name, "2013-03-01", action, Cause.DRIFT, "", {"share": 0.1 + 0.2})


def test_what_is_measured_again_replaces_what_was_known_and_nothing_else(address: Address) -> None:
    with store.open_store(address) as connection:
        store.write(connection, "2013-03-01", "m/1", {("bias", ALL): 0.5, ("bias", "one"): 0.7, ("«second»", ALL): 0.6})
        store.write(connection, "2013-03-01", "m/1", {("bias", ALL): 0.1 + 0.2})
    with store.open_store(address) as connection:
        assert store.by_slice(connection, "m/1", "2013-03-01", "bias") == {ALL: 0.1 + 0.2, "one": 0.7}
        measured = store.read(connection, "m/1", "2013-02-01", "2013-03-01")
        assert measured.to_dict("index") == {"2013-03-01": {"bias": 0.1 + 0.2, "«second»": 0.6}}


def test_all_that_became_of_decisions_is_kept_in_order(address: Address) -> None:
    with store.open_store(address) as connection:
        for name in ("b", "a"):
            decisions.record(connection, decision(name))
        assert decisions.take(connection, "b")
        decisions.conclude(connection, "b", Status.DONE, "version 2")
        decisions.conclude(connection, "nobody decided this", Status.DONE, "")
        decisions.record(connection, decision("a", Action.HOLD))
        changed = decisions.changes(connection)
        assert [(change["id"], change["status"], change["result"]) for change in changed] == [
            ("b", "open", ""),
            ("a", "open", ""),
            ("b", "running", ""),
            ("b", "done", "version 2"),
            ("a", "open", ""),
        ]
        assert sorted(change["at"] for change in changed) == [change["at"] for change in changed]
        assert [(one.id, one.action, one.evidence) for one in decisions.read(connection)] == [
            ("a", Action.HOLD, {"share": 0.1 + 0.2}),
            ("b", Action.RETRAIN, {"share": 0.1 + 0.2}),
        ]


def test_of_many_that_take_a_decision_at_once_one_does(address: Address) -> None:
    with store.open_store(address) as connection:
        decisions.record(connection, decision("a"))

    def take(_: int) -> bool:
        with store.open_store(address) as connection:
            return decisions.take(connection, "a")

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(take, range(16))) == 1
    with store.open_store(address) as connection:
        assert [change["status"] for change in decisions.changes(connection)] == ["open", "running"]
        assert not decisions.take(connection, "nobody decided this")


def test_a_decision_that_cannot_be_kept_leaves_no_trace(address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.open_store(address) as connection:
        monkeypatch.setattr(
            decisions, "_keep_change", lambda opened, _: opened.execute("INSERT INTO nothing VALUES (1)")
        )
        with pytest.raises(DatabaseError):
            decisions.record(connection, decision("a"))
        assert decisions.read(connection) == []


def test_a_calibration_made_again_replaces_the_first(address: Address) -> None:
    with open_log(address) as log:
        for intercept in (0.1, 0.2):
            calibration.record(log, Calibration("2013-03-01", {"m/1": intercept}), {"instances": 3})
        assert calibration.recorded(log, "2013-03-01", "m/1") == (0.2, {"instances": 3})
        assert calibration.recorded(log, "2013-03-01", "m/2") == (0.0, {})


def test_a_store_from_before_keeps_all_it_has_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "metrics.db"
    with closing(sqlite3.connect(path)) as before:
        before.executescript(BEFORE)
        known = before.execute("SELECT at, status FROM changes ORDER BY rowid").fetchall()

    def opened(_: int) -> None:
        with store.open_store(path):
            pass

    with ThreadPoolExecutor(4) as threads:  # and only one takes the old changes over
        list(threads.map(opened, range(8)))
    with store.open_store(path) as connection:
        assert store.by_slice(connection, "m/1", "2013-03-01", "bias") == {ALL: 0.25}
        assert [(change["at"], change["status"]) for change in decisions.changes(connection)] == known
        decisions.record(connection, decision("b"))
        assert [change["id"] for change in decisions.changes(connection)] == ["a", "a", "b"]

"""An alarm that no training came of counts as a failure."""

from pathlib import Path

import pytest

from ...config import paths
from ...errors import StageError
from ...monitoring import retraining, store
from ...monitoring.alarm import Cause
from ...monitoring.store import Action, Record, Status
from ...operations.readiness import NoServerError

DECISION = Record("a", "2013-03-01", Action.RETRAIN, Cause.DRIFT, "", {})


@pytest.fixture(autouse=True)
def _decision(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "METRICS_STORE", tmp_path / "metrics.db")
    with store.open_store(paths.METRICS_STORE) as connection:
        store.record(connection, DECISION)


def status() -> Status:
    with store.open_store(paths.METRICS_STORE) as connection:
        return store.decisions(connection)[0].status


def test_an_alarm_that_no_training_came_of_is_a_failure_until_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retraining, "wait_for_automation", lambda: None)
    monkeypatch.setattr(retraining, "emit_event", lambda *_, **__: None)
    monkeypatch.setattr(retraining, "SECONDS", 0.2)
    with pytest.raises(StageError, match="alarm a: no training ended"):
        retraining.request(DECISION)
    assert status() is Status.FAILED
    with store.open_store(paths.METRICS_STORE) as connection:
        store.conclude(connection, "a", Status.DONE, "version 2 is challenger")  # it came late
    assert status() is Status.DONE


def test_an_alarm_that_no_automation_reacts_to_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def deaf() -> None:
        raise NoServerError("no automation reacts to alarms")

    monkeypatch.setattr(retraining, "wait_for_automation", deaf)
    with pytest.raises(NoServerError):
        retraining.request(DECISION)
    assert status() is Status.FAILED

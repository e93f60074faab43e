"""An alarm that nothing came of counts as a failure."""

from pathlib import Path

import pytest

from ...config import paths
from ...errors import StageError
from ...monitoring import retraining, store
from ...monitoring.guards import FAILED
from ...operations.readiness import NoServerError


def test_an_alarm_that_nothing_came_of_is_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "METRICS_STORE", tmp_path / "measures.db")
    monkeypatch.setattr(retraining, "wait_for_pipeline", lambda: None)
    monkeypatch.setattr(retraining, "emit_event", lambda *_, **__: None)
    monkeypatch.setattr(retraining, "SECONDS", 0.2)
    row = {"id": "a", "day": "2013-03-01", "decision": "retrain", "cause": "drift", "policy": "", "evidence": {}}
    with store.open_store(paths.METRICS_STORE) as connection:
        store.decide(connection, row)
        with pytest.raises(StageError, match="nothing came of the alarm a"):
            retraining.ask("a", "drift", {})
        assert str(store.result_of(connection, "a")).startswith(FAILED)
        store.conclude(connection, "a", "version 2 is challenger")  # it came late
        assert store.result_of(connection, "a") == "version 2 is challenger"


def test_an_alarm_that_nobody_could_hear_is_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def deaf() -> None:
        raise NoServerError("nobody hears alarms")

    monkeypatch.setattr(paths, "METRICS_STORE", tmp_path / "measures.db")
    monkeypatch.setattr(retraining, "wait_for_pipeline", deaf)
    row = {"id": "a", "day": "2013-03-01", "decision": "retrain", "cause": "drift", "policy": "", "evidence": {}}
    with store.open_store(paths.METRICS_STORE) as connection:
        store.decide(connection, row)
        with pytest.raises(NoServerError):
            retraining.ask("a", "drift", {})
        assert str(store.result_of(connection, "a")).startswith(FAILED)

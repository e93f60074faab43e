"""An alarm that nothing came of counts as a failure."""

from pathlib import Path

import pytest

from .. import measures, retraining
from ..errors import StageError
from ..guards import FAILED
from ..servers import NoServerError


def test_an_alarm_that_nothing_came_of_is_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(measures, "STORE", tmp_path / "measures.db")
    monkeypatch.setattr(retraining, "wait_for_pipeline", lambda: None)
    monkeypatch.setattr(retraining, "emit_event", lambda *_, **__: None)
    monkeypatch.setattr(retraining, "SECONDS", 0.2)
    row = {"id": "a", "day": "2013-03-01", "decision": "retrain", "cause": "drift", "policy": "", "evidence": {}}
    with measures.open_store(measures.STORE) as store:
        measures.decide(store, row)
        with pytest.raises(StageError, match="nothing came of the alarm a"):
            retraining.ask("a", "drift", {})
        assert str(measures.result_of(store, "a")).startswith(FAILED)
        measures.conclude(store, "a", "version 2 is challenger")  # it came late
        assert measures.result_of(store, "a") == "version 2 is challenger"


def test_an_alarm_that_nobody_could_hear_is_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def deaf() -> None:
        raise NoServerError("nobody hears alarms")

    monkeypatch.setattr(measures, "STORE", tmp_path / "measures.db")
    monkeypatch.setattr(retraining, "wait_for_pipeline", deaf)
    row = {"id": "a", "day": "2013-03-01", "decision": "retrain", "cause": "drift", "policy": "", "evidence": {}}
    with measures.open_store(measures.STORE) as store:
        measures.decide(store, row)
        with pytest.raises(NoServerError):
            retraining.ask("a", "drift", {})
        assert str(measures.result_of(store, "a")).startswith(FAILED)

"""An alarm starts one training, whoever asks and however often; one that gets lost is no failed training."""

from pathlib import Path

import pytest

from ...config import paths
from ...errors import StageError
from ...monitoring import decisions, retraining, store
from ...monitoring.alarm import Cause
from ...monitoring.decisions import Action, Record, Status
from ...monitoring.guards import is_training
from ...monitoring.retraining import NotDecidedError
from ...operations.readiness import NoServerError
from ...registry import models

DECISION = Record("a", "2013-03-01", Action.RETRAIN, Cause.DRIFT, "", {})


@pytest.fixture(autouse=True)
def _decision(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "METRICS_STORE", tmp_path / "metrics.db")
    with store.open_store(paths.METRICS_STORE) as connection:
        decisions.record(connection, DECISION)


def status() -> Status:
    with store.open_store(paths.METRICS_STORE) as connection:
        return decisions.read(connection)[0].status


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for the orchestration server: nothing hears the events."""
    emitted: list[str] = []
    monkeypatch.setattr(retraining, "wait_for_automation", lambda: None)
    monkeypatch.setattr(retraining, "emit_event", lambda *_, payload, **__: emitted.append(payload["alarm"]))
    monkeypatch.setattr(retraining, "_is_dead", lambda _: False)
    monkeypatch.setattr(retraining, "SECONDS", 0.2)
    monkeypatch.setattr(retraining, "SECONDS_TO_START", 0.1)
    return emitted


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for trainings and deliveries, which end well."""
    trained: list[str] = []

    def train(cause: str) -> str:
        trained.append(cause)
        return "2"

    monkeypatch.setattr(retraining, "start_training", train)
    monkeypatch.setattr(models, "tag", lambda *_: None)
    monkeypatch.setattr(retraining, "deliver", lambda version: f"version {version} is challenger")
    return trained


def test_an_alarm_that_nobody_hears_is_asked_again_and_is_no_failed_training(emitted: list[str]) -> None:
    with pytest.raises(StageError, match="alarm a: no training began"):
        retraining.request(DECISION)
    assert emitted == ["a", "a"]
    assert status() is Status.LOST
    with store.open_store(paths.METRICS_STORE) as connection:
        past = decisions.read(connection)
        assert not any(map(is_training, past))  # so nothing has to cool down
        decisions.conclude(connection, "a", Status.DONE, "version 2 is challenger")  # it came late
    assert status() is Status.DONE


def test_a_training_that_was_killed_is_known_as_soon_as_the_server_knows(
    emitted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retraining, "SECONDS", 60.0)
    monkeypatch.setattr(retraining, "_is_dead", lambda _: True)
    with store.open_store(paths.METRICS_STORE) as connection:
        assert decisions.take(connection, "a")  # a training has begun
    with pytest.raises(StageError, match="its training was killed"):
        retraining.request(DECISION)
    assert status() is Status.LOST


def test_an_event_starts_a_training_only_for_an_open_decision(trained: list[str]) -> None:
    with pytest.raises(NotDecidedError):
        retraining.retraining.fn("2013-03-01-made-up", "drift")
    assert trained == []
    assert retraining.retraining.fn("a", "drift") == "version 2 is challenger"
    with pytest.raises(NotDecidedError):  # the same event once more
        retraining.retraining.fn("a", "drift")
    assert trained == ["drift"]
    assert status() is Status.DONE


def test_an_alarm_that_no_automation_reacts_to_is_asked_again_tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    def deaf() -> None:
        raise NoServerError("no automation reacts to alarms")

    monkeypatch.setattr(retraining, "wait_for_automation", deaf)
    with pytest.raises(StageError, match="no automation reacts to alarms"):
        retraining.request(DECISION)
    assert status() is Status.LOST

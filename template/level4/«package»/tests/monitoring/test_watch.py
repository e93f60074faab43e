"""What people hear of in the morning: only what is beyond its limit, and whatever else fails."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from ...config import paths
from ...config.policy import read_policy
from ...config.problem import SLICES, TIME
from ...events import Event, Kind
from ...monitoring import notify, store, watch
from ...monitoring.dates import before
from ...monitoring.metrics import SERVICE
from ...monitoring.store import ALL
from ...registry import models
from ...training.model import label_of
from ..conftest import make_instances

TODAY, YESTERDAY = "2013-03-08", "2013-03-07"
CHAMPION: Any = SimpleNamespace(version="2", run_id="run", tags={"digest": "aa"})
POLICY = read_policy()
SHIFT = 2 * POLICY.max_bias


@pytest.fixture(autouse=True)
def connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Return the metrics store of a stage where a champion was trained with a loss of 0.4."""
    monkeypatch.setattr(paths, "METRICS_STORE", tmp_path / "metrics.db")
    monkeypatch.setattr(paths, "OUTBOX", tmp_path / "outbox")
    monkeypatch.setenv("ALERTS_TO", "json://127.0.0.1:1")
    run = SimpleNamespace(metrics={"holdout_«loss»": 0.4})
    monkeypatch.setattr(models, "training_of", lambda _: run)
    with store.open_store(paths.METRICS_STORE) as connection:
        yield connection


def week(shift: float = 0.0, days: int = 7) -> pd.DataFrame:
    """Return the requests of the last days, answered with their outcomes, but for so much in one slice."""
    table = make_instances(days=days, first=before(TODAY, days), per_day=400)
    label = label_of(table).astype(float)
    in_slice = table[SLICES[0]] == table[SLICES[0]].iloc[0] if SLICES else False
    return table.assign(day=table[TIME].dt.strftime("%Y-%m-%d"), champion_probability=label + shift * in_slice)


@pytest.mark.skipif(not SLICES, reason="there are no slices")
def test_bias_of_one_slice_is_named_and_no_other() -> None:
    recent = week(SHIFT)
    (event,) = watch.bias(TODAY, CHAMPION, recent, POLICY)
    assert event.kind is Kind.ALARM
    assert event.facts["evidence"][f"{SLICES[0]} {recent[SLICES[0]].iloc[0]}"] == pytest.approx(SHIFT, rel=0.01)
    assert len([name for name in event.facts["evidence"] if name.startswith(SLICES[0])]) == 1


def test_no_bias_and_too_few_days_are_no_alarm() -> None:
    assert not watch.bias(TODAY, CHAMPION, week(), POLICY)
    assert not watch.bias(TODAY, CHAMPION, week(SHIFT, days=6), POLICY)
    assert not watch.bias(TODAY, CHAMPION, week().head(0), POLICY)


@pytest.mark.parametrize(("name", "beyond"), [("p95_ms", 1500.0), ("memory_mb", 4000.0)])
def test_a_slow_or_a_large_service_is_named(connection: Any, name: str, beyond: float) -> None:
    usual = {("p95_ms", ALL): 100.0, ("memory_mb", ALL): 400.0}
    store.write(connection, YESTERDAY, SERVICE, usual)
    assert not watch.service(TODAY, CHAMPION, week(), POLICY)
    store.write(connection, YESTERDAY, SERVICE, {(name, ALL): beyond})
    (event,) = watch.service(TODAY, CHAMPION, week(), POLICY)
    assert event.facts == {"cause": "service", "evidence": {name: beyond}}


def test_a_day_that_was_not_measured_is_no_alarm() -> None:
    assert not watch.service(TODAY, CHAMPION, week(), POLICY)


def test_log_loss_online_is_kept_beside_that_offline(connection: Any) -> None:
    assert not watch.offline_and_online(TODAY, CHAMPION, week(), POLICY)
    for days, loss in ((1, 0.5), (2, 0.7), (9, 9.0)):  # the last one is older than a week
        store.write(connection, before(TODAY, days), models.served_as(CHAMPION), {("«loss»", ALL): loss})
    (event,) = watch.offline_and_online(TODAY, CHAMPION, week(), POLICY)
    assert event.facts == {"online": pytest.approx(0.6), "offline": 0.4, "days": 2}
    kept = store.read(connection, models.served_as(CHAMPION), TODAY, TODAY)
    assert kept[["online_log_loss", "offline_log_loss"]].iloc[0].tolist() == [pytest.approx(0.6), 0.4]


def test_a_watcher_that_fails_leaves_the_others_and_alarms_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any) -> list[Event]:
        raise OSError("no disk")

    breaks.__name__ = "service"
    alarm = Event(Kind.ALARM, "ALARM bias: somewhere", {"cause": "bias"})
    monkeypatch.setattr(watch, "service", breaks)
    monkeypatch.setattr(watch, "bias", lambda *_: [alarm])
    for name in ("freshness", "offline_and_online", "changes"):
        monkeypatch.setattr(watch, name, lambda *_: [])
    assert watch.watch(TODAY, CHAMPION, week(), POLICY) == [
        Event(Kind.FAILED, "service failed, OSError: no disk"),
        alarm,
    ]
    assert [path.name for path in paths.OUTBOX.iterdir()] == [f"{TODAY}-bias.0"]
    assert notify.addresses() == ["json://127.0.0.1:1"]

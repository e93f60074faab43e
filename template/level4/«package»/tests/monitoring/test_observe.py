"""What the daily check observes: which model predicted what, also on unusual days, and what it does about it."""

import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ...config import paths
from ...config.policy import read_policy
from ...config.problem import ID, OUTCOME, OUTCOMES, ROWS
from ...config.problem import NAME as MODEL
from ...data.features import CATEGORICAL, NUMERIC
from ...errors import StageError
from ...events import Event, Kind
from ...monitoring import (
    daily_check,
    decisions,
    guards,
    issues,
    measure,
    metrics,
    notify,
    observe,
    reference,
    retraining,
    store,
)
from ...monitoring.act import act
from ...monitoring.alarm import Alarm, Cause
from ...monitoring.decide import Decision
from ...monitoring.decisions import Action, Record, Status
from ...registry import models
from ...training.model import label_of
from ..conftest import make_instances, write_days
from ..example import NUMBER

NAME = f"{MODEL}/2@aa"
CHAMPION: Any = SimpleNamespace(version="2", run_id="run", source="", tags={"digest": "aa", "snapshot": "md5"})


@pytest.fixture
def trained_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pd.DataFrame:
    """Let the champion be trained on two weeks until yesterday, 14 March; return these instances."""
    table = make_instances(days=14)
    table.to_parquet(tmp_path / "table.parquet")
    monkeypatch.setattr(reference, "table_of", lambda run, md5: tmp_path / "table.parquet")
    monkeypatch.setattr(reference, "«prediction»", lambda model, instances: np.full(len(instances), 0.1))
    monkeypatch.setattr(models, "load", lambda source: None)
    monkeypatch.setattr(paths, "METRICS_STORE", tmp_path / "metrics.db")
    monkeypatch.setattr(paths, "DATA", tmp_path)
    monkeypatch.setattr(measure, "artifacts", lambda predictions: {})
    monkeypatch.setattr(metrics, "service_metrics", dict)
    monkeypatch.setattr(paths, "RUNS", tmp_path / "runs")
    return table


def predicted(arms: list[str]) -> pd.DataFrame:
    """Return predictions by these arms: 0.9 by the challenger where the champion of that day says 0.1."""
    table = make_instances(days=1, per_day=len(arms)).assign(arm=arms, day="2013-03-01")
    challenger = table["arm"] == "challenger"
    return table.assign(
        model=np.where(challenger, NAME, f"{MODEL}/1@bb"),
        champion_probability=0.1,
        «prediction»=np.where(challenger, 0.9, 0.1),
    )


def test_a_challenger_that_made_all_predictions_of_a_day_is_measured() -> None:
    ((name, _, probability),) = measure.predictions_by_model(predicted(["challenger"] * 5))
    assert name == NAME
    assert (probability == 0.9).all()


def test_the_champion_is_measured_on_every_instance_and_a_challenger_on_its_own() -> None:
    measured = measure.predictions_by_model(predicted(["champion"] * 3 + ["challenger"]))
    assert {name: len(instances) for name, instances, _ in measured} == {f"{MODEL}/1@bb": 4, NAME: 1}


UNREADABLE = {
    "no numbers": f"{NUMBER} in {ROWS}/2013-03-15.parquet is no number, but string: "
    "ask the upstream to publish it again",
    "no instances": f"{ROWS}/2013-03-15.parquet has no rows",
    "no file": f"{ROWS}/2013-03-16.parquet has not been collected",
}


@pytest.mark.parametrize("broken", UNREADABLE)
def test_a_feed_that_became_unreadable_is_told(
    trained_on: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setattr(models, "tag_model", lambda *_: None)
    day = make_instances(days=1, first="2013-03-15")
    write_days(day.assign(**{NUMBER: "mild"}) if broken == "no numbers" else day, tmp_path)
    if broken == "no instances":
        day.head(0).to_parquet(tmp_path / ROWS / "2013-03-15.parquet")
    today = "2013-03-16" if broken == "no file" else "2013-03-15"
    events, unreadable = daily_check.look_at_the_feed(today, CHAMPION, read_policy())
    assert not events
    assert unreadable == UNREADABLE[broken]


def test_the_quality_of_the_last_days_is_measured(trained_on: pd.DataFrame, tmp_path: Path) -> None:
    day = make_instances(days=1, first="2013-03-15")
    write_days(day, tmp_path)
    said = dict.fromkeys(("champion_probability", "raw_probability", "«prediction»"), 0.1)
    recent = day.assign(arm="champion", day="2013-03-15", model=NAME, intercept=0.0, **said)
    measure.measure(CHAMPION, recent, "2013-03-15")
    with store.open_store(paths.METRICS_STORE) as connection:
        measured = store.read(connection, NAME, "2013-03-15", "2013-03-15")
    label = label_of(recent.dropna(subset=OUTCOME)).mean()
    assert measured["raw_bias"].item() == pytest.approx(0.1 - label)
    assert {"«loss»", "bias", "age_days", "skew"} <= set(measured.columns)


def test_the_training_table_is_read_once_and_its_summary_says_the_same(
    trained_on: pd.DataFrame, tmp_path: Path
) -> None:
    first = reference.reference(CHAMPION)
    (tmp_path / "table.parquet").unlink()
    again = reference.reference(CHAMPION)
    assert again.last_day == "2013-03-14"
    pd.testing.assert_series_equal(again.low, trained_on[NUMERIC].quantile(0.001), check_names=False)
    pd.testing.assert_series_equal(again.high, trained_on[NUMERIC].quantile(0.999), check_names=False)
    assert again.categories == {name: frozenset(trained_on[name]) for name in CATEGORICAL}
    pd.testing.assert_series_equal(again.largest_jumps, first.largest_jumps)
    pd.testing.assert_frame_equal(again.sample, first.sample)
    assert len(again.sample) == min(reference.SAMPLE, len(trained_on))


def test_a_summary_that_was_not_finished_is_made_again(
    trained_on: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(reference, "daily", killed)
        with pytest.raises(KeyboardInterrupt):
            reference.reference(CHAMPION)
    assert reference.reference(CHAMPION).last_day == "2013-03-14"


def test_a_hold_whose_issue_cannot_be_written_holds_all_the_same(
    trained_on: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(issues, "write", full)
    alarm = Alarm(Cause.STALE_FEED, {"days": 3})
    (event,) = act("2013-03-15", Decision(Action.HOLD, alarm), read_policy())
    assert (event.kind, event.facts["cause"]) == (Kind.HELD, "stale feed")
    assert "no space left" in event.text
    with store.open_store(paths.METRICS_STORE) as connection:
        assert len(guards.open_holds(decisions.read(connection))) == 1


@pytest.mark.parametrize(("cause", "kind"), [(Cause.DRIFT, Kind.ALARM), (Cause.SCHEDULE, Kind.REFIT)])
def test_an_alarm_stays_one_when_a_refit_gains_too_little(
    trained_on: pd.DataFrame, cause: Cause, kind: Kind
) -> None:
    (event,) = act("2013-03-15", Decision(Action.REFIT, Alarm(cause, {})), read_policy())
    assert (event.kind, event.facts["cause"]) == (kind, cause)
    with store.open_store(paths.METRICS_STORE) as connection:
        assert [decision.status for decision in decisions.read(connection)] == [Status.DONE]


def test_empty_outcomes_and_those_of_days_to_come_do_not_make_the_feed_fresh(
    trained_on: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "version_of", lambda _: None)
    write_days(trained_on, tmp_path)
    assert observe.observe(CHAMPION, "2013-03-15").silent_days == 0
    for day in ("2013-03-15", "2013-03-16", "2013-03-17", "2014-03-01"):
        rows = trained_on[[ID, OUTCOME]]
        (rows if day > "2014" else rows.head(0)).to_parquet(tmp_path / OUTCOMES / f"{day}.parquet")
    observed = observe.observe(CHAMPION, "2013-03-18")
    assert observed.silent_days == 3
    assert observed.new_instances == 0


def test_evidence_that_is_no_number_is_kept_as_json(tmp_path: Path) -> None:
    with store.open_store(tmp_path / "decisions.db") as connection:
        decisions.record(connection, Record("a", "2013-03-01", Action.HOLD, Cause.SKEW, "", {"share": np.nan}))
        assert decisions.read(connection)[0].evidence == {"share": None}


def test_a_check_that_fails_is_an_issue_until_one_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "ISSUES", tmp_path / "issues")
    monkeypatch.setattr(paths, "OUTBOX", tmp_path / "outbox")
    monkeypatch.setenv("ALERTS_TO", "json://127.0.0.1:9/nobody")
    monkeypatch.setattr(notify, "TRIES", 1)

    def fails(_: str) -> list[Event]:
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(daily_check, "daily_check", fails)
    for day in ("2013-03-15", "2013-03-16"):
        with pytest.raises(sqlite3.DatabaseError):
            daily_check.check(day)
    text = (tmp_path / "issues" / issues.BLIND).read_text()
    assert "Since 2013-03-15 the daily check fails" in text
    assert "database disk image is malformed" in text
    assert len(list((tmp_path / "outbox").iterdir())) == 1  # said once
    monkeypatch.setattr(daily_check, "daily_check", lambda _: [])
    monkeypatch.setattr(notify, "send", lambda _: [])
    assert daily_check.check("2013-03-17") == []
    assert not (tmp_path / "issues" / issues.BLIND).exists()


def test_an_alarm_whose_training_is_lost_does_not_end_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(_: Record) -> Record:
        raise StageError("its training was killed")

    monkeypatch.setattr(paths, "METRICS_STORE", tmp_path / "metrics.db")
    monkeypatch.setattr(retraining, "request", lost)
    alarm = Alarm(Cause.STALENESS, {"days": 28})
    (event,) = act("2013-03-15", Decision(Action.RETRAIN, alarm), read_policy())
    assert (event.kind, event.text) == (Kind.FAILED, "its training was killed")

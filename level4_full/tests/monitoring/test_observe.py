"""What the watch looks at: who said what, also on odd days."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ...config import paths
from ...monitoring import daily_check, guards, issues, metrics, observe, reference, store
from ...monitoring.triggers import Reason
from ...registry import artifact, history, models
from ..conftest import make_flights, write_days

NAME = "flight-delays/2@aa"
CHAMPION: Any = SimpleNamespace(version="2", run_id="run", source="", tags={"digest": "aa", "snapshot": "md5"})


@pytest.fixture
def learned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pd.DataFrame:
    """Let the champion have learned from two weeks until yesterday, 14 March; return these flights."""
    table = make_flights(days=14)
    table.to_parquet(tmp_path / "table.parquet")
    monkeypatch.setattr(reference, "table_of", lambda run, md5: tmp_path / "table.parquet")
    monkeypatch.setattr(reference, "late_probability", lambda model, flights: np.full(len(flights), 0.1))
    monkeypatch.setattr(models, "load", lambda source: None)
    monkeypatch.setattr(paths, "METRICS_STORE", tmp_path / "measures.db")
    monkeypatch.setattr(paths, "DATA", tmp_path)
    monkeypatch.setattr(observe, "artefacts", lambda given: {})
    monkeypatch.setattr(metrics, "of_service", dict)
    reference._reference.cache_clear()
    return table


def answered(arms: list[str]) -> pd.DataFrame:
    """Return answers by these arms: the challenger says 0.9 where the champion of that day would have said 0.1."""
    table = make_flights(days=1, per_day=len(arms)).assign(arm=arms, day="2013-03-01")
    challenger = table["arm"] == "challenger"
    return table.assign(
        model=np.where(challenger, NAME, "flight-delays/1@bb"),
        said=0.1,
        late_probability=np.where(challenger, 0.9, 0.1),
    )


def test_a_challenger_that_gave_all_answers_of_a_day_is_measured() -> None:
    (only,) = observe.served(answered(["challenger"] * 5))
    assert only[0] == NAME
    assert (only[1]["said"] == 0.9).all()


def test_the_champion_is_measured_on_every_answer_and_a_challenger_on_its_own() -> None:
    found = dict(observe.served(answered(["champion"] * 3 + ["challenger"])))
    assert {name: len(each) for name, each in found.items()} == {"flight-delays/1@bb": 4, NAME: 1}


def test_a_new_champion_is_held_against_the_one_before_by_what_it_said_as_challenger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = SimpleNamespace(answer=lambda features: np.full(len(features["carrier"]), 0.1))
    monkeypatch.setattr(history, "events", list)
    monkeypatch.setattr(history, "champion_before", lambda events, left: "1")
    monkeypatch.setattr(models, "version_of", lambda alias: "2")
    monkeypatch.setattr(models, "version", lambda number: SimpleNamespace(tags={"digest": "bb"}))
    monkeypatch.setattr(artifact, "load", lambda folder, digest: before)
    known = answered(["challenger"] * 50).assign(arrival_delay=0.0)
    extra, _ = observe.against_previous(known, NAME, "2013-02-27")
    assert len(extra) == 50
    assert (extra > 2).all()  # it said 0.9 of flights that were all on time


@pytest.mark.parametrize("broken", ["no numbers", "no flights"])
def test_a_feed_that_became_unreadable_is_told_and_what_hurts_is_still_seen(
    learned: pd.DataFrame, tmp_path: Path, broken: str
) -> None:
    day = make_flights(days=1, first="2013-03-15")
    write_days(day.assign(temp="mild") if broken == "no numbers" else day, tmp_path)
    if broken == "no flights":
        day.head(0).to_parquet(tmp_path / "flights" / "2013-03-15.parquet")
    known = day.assign(arm="champion", day="2013-03-15", model=NAME, said=0.1, late_probability=0.1)
    assert "Error" in observe.measure(CHAMPION, known, "2013-03-15")
    with store.open_store(paths.METRICS_STORE) as connection:
        assert {"log_loss", "beyond"} <= set(store.read(connection, NAME, "2013-03-15", "2013-03-15").columns)


def test_a_gap_that_was_learned_from_does_not_hide_the_next(learned: pd.DataFrame, tmp_path: Path) -> None:
    gap = learned["scheduled_departure"].dt.day.between(5, 8) & (learned["origin"] == "JFK")
    learned.loc[gap, "temp"] = np.nan
    learned.to_parquet(tmp_path / "table.parquet")
    usual = reference.reference(CHAMPION).jumps["missing temp"]
    row = {"decision": "", "policy": "", "evidence": {}}
    with store.open_store(paths.METRICS_STORE) as connection:
        store.decide(connection, row | {"id": "1", "day": "2013-03-06", "cause": guards.SUSPICIOUS})
        store.decide(connection, row | {"id": "2", "day": "2013-03-10", "cause": guards.BACK})
        without = observe.learned(CHAMPION, connection).jumps["missing temp"]
    assert usual > 0.25
    assert without == reference.SMALLEST_GAP


def test_the_feed_is_held_against_the_day_before_the_hold(learned: pd.DataFrame) -> None:
    hold = {"day": "2013-03-15", "decision": guards.HOLD, "result": None}
    what = reference.reference(CHAMPION)
    with store.open_store(paths.METRICS_STORE) as connection:
        for day, level in (("2013-03-13", 50.0), ("2013-03-14", 10.0), ("2013-03-20", 52.0)):
            store.write(connection, day, observe.FEED, {("level", "mean temp"): level})
        away = observe.away_from(connection, [hold], "2013-03-20", what)
        assert away == {"mean temp": pytest.approx(2 / what.jumps["mean temp"])}
        assert observe.away_from(connection, [hold | {"result": "ended"}], "2013-03-20", what) == {}


def test_a_hold_whose_issue_cannot_be_written_holds_all_the_same(
    learned: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(issues, "write", full)
    said = daily_check.act("2013-03-15", guards.HOLD, Reason(guards.SUSPICIOUS, {"mean temp": 2.0}))
    assert "HOLD suspicious feed" in said
    assert "no space left" in said
    with store.open_store(paths.METRICS_STORE) as connection:
        assert len(guards.open_holds(store.decisions(connection))) == 1

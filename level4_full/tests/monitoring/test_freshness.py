"""A station that has reported nothing new for long, and outcomes that stay away, are named by airport."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ...config import paths
from ...config.policy import read_policy
from ...errors import StageError
from ...monitoring import store, watch
from ...registry import models
from ..conftest import make_flights

TODAY = "2013-03-08"
CHAMPION: Any = SimpleNamespace(version="2", tags={"digest": "aa"})


def ages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flights: pd.DataFrame, recent: pd.DataFrame) -> Any:
    """Return the evidence of the morning's alarm; empty without one."""
    monkeypatch.setattr(paths, "METRICS_STORE", tmp_path / "metrics.db")
    monkeypatch.setattr(watch, "published", lambda _: flights)
    events = watch.freshness(TODAY, CHAMPION, recent, read_policy())
    return events[0].facts["evidence"] if events else {}


@pytest.fixture
def today() -> pd.DataFrame:
    return make_flights(days=1, first=TODAY)


@pytest.fixture
def recent() -> pd.DataFrame:
    table = make_flights(days=7)
    return table.assign(day=table["scheduled_departure"].dt.strftime("%Y-%m-%d"))


def test_fresh_data_is_no_alarm_and_its_ages_are_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, today: pd.DataFrame, recent: pd.DataFrame
) -> None:
    assert not ages(monkeypatch, tmp_path, today, recent)
    with store.open_store(paths.METRICS_STORE) as connection:
        outcomes = store.by_slice(connection, models.served_as(CHAMPION), TODAY, "outcome_days")
        observations = store.by_slice(connection, models.served_as(CHAMPION), TODAY, "observation_hours")
    assert outcomes == {"EWR": 1, "JFK": 1, "LGA": 1}
    assert set(observations) == {"EWR", "JFK", "LGA"}


@pytest.mark.parametrize("stuck", [60.0, np.nan])
def test_a_station_without_anything_new_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, today: pd.DataFrame, recent: pd.DataFrame, stuck: float
) -> None:
    flights = today.assign(temp=today["temp"].mask(today["origin"] == "JFK", stuck))
    (alarm,) = ages(monkeypatch, tmp_path, flights, recent).items()
    assert alarm[0] == "observation_hours JFK"
    assert 15 < alarm[1] < 20  # since the first flight of the day


def test_an_airport_whose_outcomes_stay_away_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, today: pd.DataFrame, recent: pd.DataFrame
) -> None:
    late = (recent["origin"] == "LGA") & (recent["day"] > "2013-03-05")
    landed = recent.assign(arrival_delay=recent["arrival_delay"].mask(late))
    assert ages(monkeypatch, tmp_path, today, landed) == {"outcome_days LGA": 3}


def test_a_feed_that_cannot_be_read_leaves_the_outcomes_watched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, recent: pd.DataFrame
) -> None:
    def unreadable(_: str) -> pd.DataFrame:
        raise StageError("no table")

    monkeypatch.setattr(paths, "METRICS_STORE", tmp_path / "metrics.db")
    monkeypatch.setattr(watch, "published", unreadable)
    (event,) = watch.freshness("2013-03-20", CHAMPION, recent, read_policy())
    assert set(event.facts["evidence"]) == {"outcome_days EWR", "outcome_days JFK", "outcome_days LGA"}

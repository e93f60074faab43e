"""Today's feed: what jumped is put right if a known fault explains it, else left out; and what is fine stays."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ...config import paths
from ...config.policy import read_policy
from ...data import corrections
from ...data.corrections import Correction
from ...monitoring import feed, reference, store
from ...registry import models
from ..conftest import make_flights, write_days

pytestmark = pytest.mark.slow  # seconds of imports

TODAY = "2013-03-29"
CHAMPION: Any = SimpleNamespace(version="2", run_id="run", source="", tags={"digest": "aa", "snapshot": "md5"})
POLICY = read_policy()


@pytest.fixture
def tags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Let a champion be trained on four weeks, and their flights be collected; return the registry's tags."""
    table = make_flights(days=28, per_day=400)
    table.to_parquet(tmp_path / "table.parquet")
    write_days(table, tmp_path)
    monkeypatch.setattr(reference, "table_of", lambda run, md5: tmp_path / "table.parquet")
    monkeypatch.setattr(reference, "late_probability", lambda model, flights: np.full(len(flights), 0.1))
    monkeypatch.setattr(models, "load", lambda source: None)
    for name, place in {"METRICS_STORE": "metrics.db", "DATA": ".", "RUNS": "runs"}.items():
        monkeypatch.setattr(paths, name, tmp_path / place)
    tags: dict[str, str] = {}
    monkeypatch.setattr(models, "tag_model", tags.__setitem__)
    monkeypatch.setattr(feed, "wait_until_served", lambda *_: None)
    examined("2013-03-28")
    return tags


def examined(day: str, change: Callable[[pd.DataFrame], pd.DataFrame] = lambda flights: flights) -> feed.Examined:
    """Publish a day with a change, and examine it."""
    flights = make_flights(days=1, per_day=400, first=day, seed=1).drop(columns="arrival_delay")
    change(flights).to_parquet(paths.DATA / "flights" / f"{day}.parquet", index=False)
    return feed.examine_today(day, CHAMPION, POLICY)


def celsius(flights: pd.DataFrame) -> pd.DataFrame:
    """Publish °C, in a season in which that is no cold wave; only temperatures far from these look alike."""
    return flights.assign(temp=(flights["temp"] - 32) * 5 / 9, dewp=(flights["dewp"] - 32) * 5 / 9)


def test_a_day_like_the_others_is_left_alone(tags: dict[str, str]) -> None:
    today = examined(TODAY)
    assert not today.correction
    assert not today.incomplete
    assert json.loads(tags["repair"]) == {}
    assert corrections.read(paths.DATA) == {}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (celsius, "°C"),
        (lambda flights: flights.assign(humid=flights["humid"] / 100), "a share of 1"),
        (
            lambda flights: flights.assign(
                scheduled_departure=flights["scheduled_departure"] + pd.Timedelta("5h")
            ),
            "UTC in winter",
        ),
    ],
    ids=["celsius", "share", "utc"],
)
def test_a_known_fault_is_undone_in_the_service_and_in_trainings(
    tags: dict[str, str], change: Callable[[pd.DataFrame], pd.DataFrame], fault: str
) -> None:
    today = examined(TODAY, change)
    assert (today.correction.transforms, today.correction.missing) == ([fault], [])
    assert json.loads(tags["repair"]) == {"id": TODAY, "renamed": {}, "transforms": [fault]}
    assert corrections.read(paths.DATA)[TODAY] == today.correction
    again = examined("2013-03-30", change)  # it is compared with the day as it was put right
    assert again.correction.transforms == [fault]
    assert not examined("2013-03-31").correction
    assert json.loads(tags["repair"]) == {}


def test_a_renamed_column_is_read_by_its_new_name(tags: dict[str, str]) -> None:
    today = examined(TODAY, lambda flights: flights.rename(columns={"temp": "temperature"}))
    assert today.correction.renamed == {"temperature": "temp"}
    assert not today.correction.missing


ENCODINGS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "dictionaries": lambda flights: flights.astype({"origin": "category", "carrier": "category"}),
    "whole numbers": lambda flights: flights.astype({"humid": "int64"}),
    "microseconds": lambda flights: flights.astype({"scheduled_departure": "datetime64[us]"}),
    "no gusts": lambda flights: flights.assign(wind_gust=None),
}


def without_gusts(flights: pd.DataFrame) -> pd.DataFrame:
    return flights.assign(wind_gust=np.nan, humid=flights["humid"].fillna(60).round())


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_file_that_is_written_with_other_types_says_the_same(tags: dict[str, str], encoding: str) -> None:
    usual = examined(TODAY, without_gusts)
    today = examined(TODAY, lambda flights: ENCODINGS[encoding](without_gusts(flights)))
    assert today.statistics == pytest.approx(usual.statistics, nan_ok=True)
    assert (today.incomplete, today.correction.missing) == (usual.incomplete, usual.correction.missing)


def test_an_index_that_was_written_too_is_no_column(tags: dict[str, str]) -> None:
    examined(TODAY)
    path = paths.DATA / "flights" / f"{TODAY}.parquet"
    sorted_ = pd.read_parquet(path).sort_values("distance").rename(columns={"temp": "temperature"})
    sorted_.to_parquet(path)
    assert feed.examine_today(TODAY, CHAMPION, POLICY).correction.renamed == {"temperature": "temp"}


def test_an_odd_file_of_a_past_week_keeps_nobody_from_examining_today(tags: dict[str, str]) -> None:
    past = paths.DATA / "flights" / "2013-03-15.parquet"
    pd.read_parquet(past).assign(temp="mild", origin=1).to_parquet(past)
    assert not examined(TODAY).incomplete


def test_what_nobody_can_put_right_is_left_out_until_it_is_as_before(tags: dict[str, str]) -> None:
    lost = lambda flights: flights.assign(visib=np.nan)  # noqa: E731
    assert examined(TODAY, lost).correction.missing == ["visib"]
    assert examined("2013-03-30", lost).correction.missing == ["visib"]  # not taken for the usual
    assert not examined("2013-03-31").correction


def test_sensors_that_are_stuck_are_noticed(tags: dict[str, str]) -> None:
    stuck = lambda flights: flights.assign(temp=flights["temp"].where(flights["origin"] != "EWR", 60.0))  # noqa: E731
    today = examined(TODAY, stuck)
    assert "observations EWR" in today.suspicious
    assert "observations JFK" not in today.suspicious
    assert {"temp", "visib"} <= set(today.correction.missing)


@pytest.mark.parametrize(
    ("kept", "named"),
    [
        (lambda flights: flights.iloc[::2], {"all"}),
        (lambda flights: flights[flights["origin"] != "JFK"], {"JFK"}),
        (lambda flights: flights.iloc[: int(0.9 * len(flights))], set()),
    ],
    ids=["half", "one airport", "nearly all"],
)
def test_flights_that_were_not_published_are_missed(
    tags: dict[str, str], kept: Callable[[pd.DataFrame], pd.DataFrame], named: set[str]
) -> None:
    assert examined(TODAY, kept).incomplete.keys() == named


def test_a_file_that_is_published_again_is_examined_again(tags: dict[str, str]) -> None:
    examined(TODAY, celsius)
    right = make_flights(days=1, per_day=400, first=TODAY, seed=1).drop(columns="arrival_delay")
    right.to_parquet(paths.DATA / "flights" / f"{TODAY}.parquet", index=False)
    examined("2013-03-30")
    assert corrections.read(paths.DATA) == {}


def test_the_share_out_of_range_is_kept_for_the_drift_of_the_champion(tags: dict[str, str]) -> None:
    examined(
        TODAY, lambda flights: flights.assign(pressure=np.where(np.arange(400) < 100, 900.0, flights["pressure"]))
    )
    with store.open_store(paths.METRICS_STORE) as connection:
        share = store.by_slice(connection, "flight-delays/2@aa", TODAY, "out_of_range_share")[store.ALL]
    assert share == pytest.approx(0.25, abs=0.02)


def test_a_correction_says_what_was_wrong_and_what_was_done() -> None:
    correction = Correction("", {"temperature": "temp"}, ["°C"], ["visib"])
    assert str(correction) == (
        "temperature is read as temp; temp and dewp published as °C: put right; visib left out of trainings"
    )


def test_a_known_fault_is_undone_though_a_station_reports_seldom(tags: dict[str, str]) -> None:
    def both(flights: pd.DataFrame) -> pd.DataFrame:
        seldom = flights.assign(temp=flights["temp"].where(flights["origin"] != "EWR", flights["temp"].mean()))
        return celsius(seldom)

    today = examined(TODAY, both)
    assert "observations EWR" in today.suspicious
    assert today.correction.transforms == ["°C"]
    assert "temp" in today.correction.missing  # of trainings only

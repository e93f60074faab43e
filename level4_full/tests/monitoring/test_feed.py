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
from ...config.problem import GROUP, NAME, OUTCOME, ROWS, TIME
from ...data import corrections
from ...data.features import CATEGORICAL
from ...monitoring import feed, reference, store
from ...registry import models
from ..conftest import make_flights, write_days
from ..example import NUMBER, OUT_OF_RANGE

pytestmark = pytest.mark.slow  # seconds of imports

Change = Callable[[pd.DataFrame], pd.DataFrame]

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


def examined(day: str, change: Change = lambda flights: flights) -> feed.Examined:
    """Publish a day with a change, and examine it."""
    flights = make_flights(days=1, per_day=400, first=day, seed=1).drop(columns=OUTCOME)
    change(flights).to_parquet(paths.DATA / ROWS / f"{day}.parquet", index=False)
    return feed.examine_today(day, CHAMPION, POLICY)


def changed(column: str, change: Callable[["pd.Series[Any]"], Any]) -> Change:
    """Return a change of a whole column."""
    return lambda flights: flights.assign(**{column: change(flights[column])})


A_TENTH = changed(NUMBER, lambda column: column / 10)
TENFOLD = changed(NUMBER, lambda column: column * 10)


@pytest.fixture
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be known that a number may be published as a tenth of itself."""
    for module in (feed, corrections):
        monkeypatch.setattr(module, "TRANSFORMS", {"a tenth": {NUMBER: lambda number: number * 10}})


def test_a_day_like_the_others_is_left_alone(tags: dict[str, str]) -> None:
    today = examined(TODAY)
    assert not today.correction
    assert not today.incomplete
    assert json.loads(tags["repair"]) == {}
    assert corrections.read(paths.DATA) == {}


@pytest.mark.usefixtures("_known")
def test_a_known_fault_is_undone_in_the_service_and_in_trainings(tags: dict[str, str]) -> None:
    today = examined(TODAY, A_TENTH)
    assert (today.correction.transforms, today.correction.missing) == (["a tenth"], [])
    assert json.loads(tags["repair"]) == {"id": TODAY, "renamed": {}, "transforms": ["a tenth"]}
    assert corrections.read(paths.DATA)[TODAY] == today.correction
    again = examined("2013-03-30", A_TENTH)  # it is compared with the day as it was put right
    assert again.correction.transforms == ["a tenth"]
    assert not examined("2013-03-31").correction
    assert json.loads(tags["repair"]) == {}


def test_a_renamed_column_is_read_by_its_new_name(tags: dict[str, str]) -> None:
    today = examined(TODAY, lambda flights: flights.rename(columns={NUMBER: "another"}))
    assert today.correction.renamed == {"another": NUMBER}
    assert not today.correction.missing


WHOLE = changed(NUMBER, lambda column: column.fillna(column.mean()).round())
ENCODINGS: dict[str, Change] = {
    "dictionaries": lambda flights: flights.astype(dict.fromkeys(CATEGORICAL, "category")),
    "whole numbers": lambda flights: flights.astype({NUMBER: "int64"}),
    "microseconds": lambda flights: flights.astype({TIME: "datetime64[us]"}),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_file_that_is_written_with_other_types_says_the_same(tags: dict[str, str], encoding: str) -> None:
    usual = examined(TODAY, WHOLE)
    today = examined(TODAY, lambda flights: ENCODINGS[encoding](WHOLE(flights)))
    assert today.statistics == pytest.approx(usual.statistics, nan_ok=True)
    assert (today.incomplete, today.correction.missing) == (usual.incomplete, usual.correction.missing)


def test_an_index_that_was_written_too_is_no_column(tags: dict[str, str]) -> None:
    examined(TODAY)
    path = paths.DATA / ROWS / f"{TODAY}.parquet"
    sorted_ = pd.read_parquet(path).sort_values(NUMBER).rename(columns={NUMBER: "another"})
    sorted_.to_parquet(path)
    assert feed.examine_today(TODAY, CHAMPION, POLICY).correction.renamed == {"another": NUMBER}


def test_an_odd_file_of_a_past_week_keeps_nobody_from_examining_today(tags: dict[str, str]) -> None:
    past = paths.DATA / ROWS / "2013-03-15.parquet"
    pd.read_parquet(past).assign(**{NUMBER: "mild"}).assign(**{GROUP: 1}).to_parquet(past)
    assert not examined(TODAY).incomplete


def test_what_nobody_can_put_right_is_left_out_until_it_is_as_before(tags: dict[str, str]) -> None:
    assert examined(TODAY, TENFOLD).correction.missing == [NUMBER]
    assert examined("2013-03-30", TENFOLD).correction.missing == [NUMBER]  # not taken for the usual
    assert not examined("2013-03-31").correction


ONE = str(make_flights(days=1, per_day=400, first=TODAY, seed=1)[GROUP][0])  # of the groups


@pytest.mark.parametrize(
    ("kept", "named"),
    [
        (lambda flights: flights.iloc[::2], {"all"}),
        (lambda flights: flights[flights[GROUP] != ONE], {ONE}),
        (lambda flights: flights.iloc[: int(0.9 * len(flights))], set()),
    ],
    ids=["half", "one group", "nearly all"],
)
def test_flights_that_were_not_published_are_missed(tags: dict[str, str], kept: Change, named: set[str]) -> None:
    assert examined(TODAY, kept).incomplete.keys() == named


@pytest.mark.usefixtures("_known")
def test_a_file_that_is_published_again_is_examined_again(tags: dict[str, str]) -> None:
    examined(TODAY, A_TENTH)
    right = make_flights(days=1, per_day=400, first=TODAY, seed=1).drop(columns=OUTCOME)
    right.to_parquet(paths.DATA / ROWS / f"{TODAY}.parquet", index=False)
    examined("2013-03-30")
    assert corrections.read(paths.DATA) == {}


def test_the_share_out_of_range_is_kept_for_the_drift_of_the_champion(tags: dict[str, str]) -> None:
    value = OUT_OF_RANGE[NUMBER]
    examined(TODAY, changed(NUMBER, lambda column: column.where(np.arange(len(column)) >= 100, value)))
    with store.open_store(paths.METRICS_STORE) as connection:
        share = store.by_slice(connection, f"{NAME}/2@aa", TODAY, "out_of_range_share")[store.ALL]
    assert share == pytest.approx(0.25, abs=0.02)

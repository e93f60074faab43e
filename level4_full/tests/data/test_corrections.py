"""Trainings read what was published with its faults undone, and without what nobody could put right."""

from pathlib import Path

import pandas as pd
import pytest

from ...config.problem import ID, OUTCOME, ROWS, TIME
from ...data import corrections
from ...data.corrections import Correction, corrected
from ...data.snapshot import load_table
from ..conftest import make_flights, write_days
from ..example import NUMBER

DAY = "2013-03-02"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Collect three days of flights; on the second, a number is a tenth of itself, as is known to happen."""
    monkeypatch.setattr(corrections, "TRANSFORMS", {"a tenth": {NUMBER: lambda number: number * 10}})
    table = make_flights(days=3)
    table[NUMBER] = table[NUMBER].where(table[TIME].dt.strftime("%Y-%m-%d") != DAY, table[NUMBER] / 10)
    write_days(table, tmp_path)
    return tmp_path


def correct(data: Path, **what: list[str]) -> None:
    corrections.write(data, {DAY: Correction(corrections.sha256_of(data, DAY), **what)})  # type: ignore[arg-type]


def test_a_known_fault_is_undone_on_its_day_only(data: Path) -> None:
    before = load_table(data).set_index(ID)
    correct(data, transforms=["a tenth"])
    after = load_table(data).set_index(ID)
    right = make_flights(days=3).dropna(subset=OUTCOME).set_index(ID).loc[after.index]
    assert not before[NUMBER].equals(right[NUMBER])
    pd.testing.assert_series_equal(after[NUMBER], right[NUMBER])
    pd.testing.assert_frame_equal(after.drop(columns=NUMBER), before.drop(columns=NUMBER))


def test_a_column_is_missing_on_its_day_only(data: Path) -> None:
    before = load_table(data)
    correct(data, missing=[NUMBER])
    table = load_table(data)
    second = table[TIME].dt.strftime("%Y-%m-%d") == DAY
    assert table.loc[second, NUMBER].isna().all()
    assert table.loc[~second, NUMBER].notna().mean() > 0.9
    pd.testing.assert_frame_equal(table.drop(columns=NUMBER), before.drop(columns=NUMBER))


def test_flights_without_their_time_are_left_out(data: Path) -> None:
    correct(data, missing=[TIME])
    assert set(load_table(data)[TIME].dt.strftime("%Y-%m-%d")) == {"2013-03-01", "2013-03-03"}


def test_a_correction_of_a_file_that_was_published_again_is_not_applied(data: Path) -> None:
    correct(data, transforms=["a tenth"])
    published = pd.read_parquet(data / ROWS / f"{DAY}.parquet")
    published.to_parquet(data / ROWS / f"{DAY}.parquet", compression="gzip")
    pd.testing.assert_frame_equal(corrected(published, data), published)


def test_without_corrections_everything_stays(data: Path) -> None:
    table = load_table(data)
    assert len(table) == len(make_flights(days=3).dropna(subset=OUTCOME))

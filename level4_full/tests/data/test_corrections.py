"""Trainings read what was published with its faults undone, and without what nobody could put right."""

from pathlib import Path

import pandas as pd
import pytest

from ...data import corrections
from ...data.corrections import Correction, corrected
from ...data.snapshot import load_table
from ..conftest import make_flights, write_days

DAY = "2013-03-02"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Collect three days of flights; on the second, temperatures are in °C."""
    table = make_flights(days=3)
    second = table["flight_id"].str[:10] == DAY
    for name in ("temp", "dewp"):
        table.loc[second, name] = (table.loc[second, name] - 32) * 5 / 9
    write_days(table, tmp_path)
    return tmp_path


def correct(data: Path, **what: list[str]) -> None:
    corrections.write(data, {DAY: Correction(corrections.sha256_of(data, DAY), **what)})  # type: ignore[arg-type]


def test_a_known_fault_is_undone_on_its_day_only(data: Path) -> None:
    before = load_table(data).set_index("flight_id")
    correct(data, transforms=["°C"])
    after = load_table(data).set_index("flight_id")
    right = make_flights(days=3).dropna(subset="arrival_delay").set_index("flight_id").loc[after.index]
    pd.testing.assert_series_equal(after["temp"], right["temp"])
    pd.testing.assert_frame_equal(after.drop(columns=["temp", "dewp"]), before.drop(columns=["temp", "dewp"]))


def test_a_column_is_missing_on_its_day_only(data: Path) -> None:
    correct(data, missing=["temp"])
    table = load_table(data)
    second = table["flight_id"].str[:10] == DAY
    assert table.loc[second, "temp"].isna().all()
    assert table.loc[second, "dewp"].notna().any()
    assert table.loc[~second, "temp"].notna().mean() > 0.9


def test_flights_without_their_time_are_left_out(data: Path) -> None:
    correct(data, missing=["scheduled_departure"])
    assert set(load_table(data)["flight_id"].str[:10]) == {"2013-03-01", "2013-03-03"}


def test_a_correction_of_a_file_that_was_published_again_is_not_applied(data: Path) -> None:
    correct(data, transforms=["°C"])
    published = pd.read_parquet(data / "flights" / f"{DAY}.parquet")
    published.to_parquet(data / "flights" / f"{DAY}.parquet", compression="gzip")
    pd.testing.assert_frame_equal(corrected(published, data), published)


def test_without_corrections_everything_stays(data: Path) -> None:
    table = load_table(data)
    assert len(table) == len(make_flights(days=3).dropna(subset="arrival_delay"))

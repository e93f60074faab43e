"""What goes wrong in the year: each incident a small function, its days, and a sentence.

Most of them are in what the upstream publishes; what it got wrong it publishes again, right, on the day it is
`corrected`. The others happen to the stage itself (see `faults.py`), and those of nature are in the data already.
The same seed gives the same incident, day by day and in any order.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from ..base import StageError
from .dataset import LATE_MINUTES, WEATHER, Year, days, write_whole
from .period import FIRST_DAY, LAST_DAY, Period

SEED = 2013
SHARE_FLIPPED = 0.3
DAYS_LATE = 3

Corruption = Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]


@dataclass(frozen=True)
class Incident:
    """Something that goes wrong from `first` to `last`, both included."""

    id: str
    first: date
    last: date
    story: str
    flights: Corruption | None = None  # what becomes of the flights published on these days
    outcomes: Corruption | None = None  # what becomes of the outcomes published on these days
    days_late: int = 0  # how long the outcomes of these days are held back
    corrected: date | None = None  # when all of it is published again, right; None: never
    fault: str | None = None  # what happens to the stage itself on the first day, and ends after the last

    @property
    def natural(self) -> bool:
        """Tell whether it is in the data, so that there is no year without it."""
        return not (self.flights or self.outcomes or self.days_late or self.fault)

    @property
    def movable(self) -> bool:
        """Tell whether it is in the feed alone, so that it may happen on other days too."""
        return not (self.natural or self.fault)

    def on(self, day: date) -> bool:
        """Tell whether it is going on."""
        return self.first <= day <= self.last

    def overlaps(self, period: Period) -> bool:
        """Tell whether it is going on for any day of a period."""
        return self.first <= period.last and period.first <= self.last

    def starting(self, day: date) -> "Incident":
        """Return the same incident, beginning on another day."""
        moved = day - self.first
        corrected = self.corrected + moved if self.corrected else None
        return replace(self, first=day, last=self.last + moved, corrected=corrected)


def celsius(flights: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
    """Turn the temperatures from °F into °C."""
    return flights.assign(**{name: (flights[name] - 32) * 5 / 9 for name in ("temp", "dewp")})


def renamed(flights: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
    """Rename a column."""
    return flights.rename(columns={"temp": "temperature"})


def as_share(flights: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
    """Give the relative humidity as a share of 0 to 1 instead of in percent."""
    return flights.assign(humid=flights["humid"] / 100)


def half(flights: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Leave out every row that a coin decides against."""
    return flights[random.random(len(flights)) < 0.5].reset_index(drop=True)


def no_weather(flights: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
    """Take away the weather of one airport."""
    return _where(flights, flights["origin"] == "JFK", dict.fromkeys(WEATHER, np.nan) | {"observed_at": pd.NaT})


def stuck(flights: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
    """Let the sensors of one airport repeat a fine day: no wind, no rain, and ten miles of sight."""
    fine = {"temp": 60.0, "dewp": 40.0, "humid": 50.0, "wind_dir": 0.0, "wind_speed": 0.0}
    fine |= {"wind_gust": np.nan, "precip": 0.0, "pressure": 1020.0, "visib": 10.0}
    return _where(flights, flights["origin"] == "EWR", fine)


def in_utc(flights: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
    """Give the times of the schedule in UTC, five hours ahead of a winter's day in New York."""
    return flights.assign(scheduled_departure=flights["scheduled_departure"] + pd.Timedelta("5h"))


def merged(flights: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
    """Let one airline fly under the code of the one it merged with."""
    return flights.assign(carrier=flights["carrier"].replace("US", "AA"))


def flipped(outcomes: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Turn late into punctual and punctual into late, for some of the flights that arrived."""
    delay = outcomes["arrival_delay"]
    turned = delay.notna() & (random.random(len(outcomes)) < SHARE_FLIPPED)
    other = pd.Series(np.where(delay >= LATE_MINUTES, 0.0, 60.0), outcomes.index)
    return outcomes.assign(arrival_delay=delay.where(~turned, other))


def twice(outcomes: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
    """Give every row two times."""
    return pd.concat([outcomes, outcomes], ignore_index=True)


def _where(table: pd.DataFrame, rows: "pd.Series[bool]", values: Mapping[str, object]) -> pd.DataFrame:
    return table.assign(**{name: table[name].mask(rows, value) for name, value in values.items()})


def _day(text: str) -> date:
    return date.fromisoformat(f"2013-{text}")


# In the order of the year. The days of those that are not natural, and of what they leave behind, do not overlap.
INCIDENTS = {
    incident.id: incident
    for incident in (
        Incident(
            "schema", _day("03-20"), _day("03-20"), "a column is renamed upstream",
            flights=renamed, corrected=_day("03-21"),
        ),
        Incident(
            "gap", _day("04-08"), _day("04-14"), "no weather comes from one airport",
            flights=no_weather,
        ),
        # Budget cuts ("sequestration") sent air traffic controllers on unpaid leave from 21 April 2013. The
        # Reducing Flight Delays Act of 2013 ended it: passed by the House on 26 April (Congressional Record, pages
        # H2364 to H2374), carried out from the 27th on.
        Incident(
            "furlough", _day("04-21"), _day("04-27"), "air traffic controllers on unpaid leave: two in five late",
        ),
        Incident(
            "celsius", _day("04-29"), _day("05-12"), "temperatures are published in °C",
            flights=celsius, corrected=_day("05-13"),
        ),
        Incident(
            "destinations", _day("05-16"), _day("08-31"), "flights to two islands that no model was trained on",
        ),
        Incident(
            "late", _day("06-03"), _day("06-09"), "outcomes come three days late",
            days_late=DAYS_LATE,
        ),
        Incident(
            "twice", _day("06-17"), _day("06-30"), "every outcome comes twice, before a training",
            outcomes=twice, corrected=_day("07-03"),
        ),
        Incident("storms", _day("06-24"), _day("07-28"), "summer storms: more than one flight in three is late"),
        Incident("killed", _day("07-17"), _day("07-17"), "the serving process is killed", fault="kill"),
        Incident(
            "disk", _day("07-24"), _day("07-24"), "the disk of the stage's workspace is full",
            fault="fill_disk",
        ),
        Incident(
            "labels", _day("08-05"), _day("09-02"), "three outcomes in ten are turned around, before a training",
            outcomes=flipped, corrected=_day("09-17"),
        ),
        Incident("calm", _day("09-02"), _day("10-06"), "the September calm: one flight in eight is late"),
        Incident(
            "code", _day("10-02"), _day("10-15"), "a change of the code breaks a feature, until it is taken back",
            fault="break_feature",
        ),
        Incident(
            "slow", _day("10-21"), _day("10-21"), "a candidate answers right, but twenty times slower",
            fault="train_slow_candidate",
        ),
        Incident(
            "partial", _day("10-28"), _day("10-30"), "half of the flights are not published",
            flights=half, corrected=_day("10-31"),
        ),
        Incident(
            "timezone", _day("11-04"), _day("11-06"), "the clocks change, and schedules are in UTC",
            flights=in_utc, corrected=_day("11-07"),
        ),
        Incident(
            "stuck", _day("11-18"), _day("11-27"), "the weather station of one airport repeats a fine day",
            flights=stuck,
        ),
        Incident(
            "humidity", _day("11-28"), _day("12-07"), "humidity is a share of 0 to 1, not in percent",
            flights=as_share, corrected=_day("12-08"),
        ),
        Incident(
            "merger", _day("12-09"), _day("12-31"), "one airline flies under the code of the one it merged with",
            flights=merged,
        ),
    )
}  # fmt: skip


# Those that may happen on other days too.
MOVABLE = {name: incident for name, incident in INCIDENTS.items() if incident.movable}


def choose(names: str, among: Mapping[str, Incident] = INCIDENTS) -> list[Incident]:
    """Return the incidents that a list like `celsius,gap` names; `all` of them, or `none`.

    Raises:
        StageError: there is no such incident among those that may be chosen.
    """
    if names in ("all", "none"):
        return list(among.values()) if names == "all" else []
    asked = [name.strip() for name in names.split(",")]
    for name in asked:
        if name not in among:
            what = f"{name!r} cannot be chosen here" if name in INCIDENTS else f"there is no incident {name!r}"
            raise StageError(f"{what}: choose among {', '.join(among)}, all or none")
    return [incident for incident in among.values() if incident.id in asked]


def feed(year: Year, day: date, incidents: Iterable[Incident] = ()) -> dict[str, pd.DataFrame]:
    """Return what the upstream publishes on `day`, by name of file (`flights/2013-03-01`), incidents and all."""
    happening = list(incidents)
    files = {f"flights/{day}": _flights(year, day, happening)}
    for about in days(max(FIRST_DAY, day - timedelta(days=1 + DAYS_LATE)), day - timedelta(days=1)):
        expected = about + timedelta(days=1)
        held_back = max((incident.days_late for incident in happening if incident.on(expected)), default=0)
        if expected + timedelta(days=held_back) == day:
            files[f"outcomes/{about}"] = _outcomes(year, about, happening)
    for incident in happening:
        if incident.corrected == day:
            files |= _corrections(year, incident)
    return files


def publish(year: Year, day: date, drop: Path, incidents: Iterable[Incident] = ()) -> dict[str, pd.DataFrame]:
    """Publish a day as Parquet files under `drop`, each written whole or not at all; return what is in them."""
    files = feed(year, day, incidents)
    for name, table in files.items():
        write_whole(table, drop / f"{name}.parquet")
    return files


def _flights(year: Year, day: date, incidents: list[Incident]) -> pd.DataFrame:
    table = year.flights_of(day)
    for incident in incidents:
        if incident.flights and incident.on(day):
            table = incident.flights(table, _random(day))
    return table


def _outcomes(year: Year, about: date, incidents: list[Incident]) -> pd.DataFrame:
    table, expected = year.outcomes_of(about), about + timedelta(days=1)
    for incident in incidents:
        if incident.outcomes and incident.on(expected):
            table = incident.outcomes(table, _random(about))
    return table


def _corrections(year: Year, incident: Incident) -> dict[str, pd.DataFrame]:
    """Return what an incident had corrupted, as it should have been."""
    corrupted = [day for day in days(incident.first, incident.last) if FIRST_DAY < day <= LAST_DAY]
    if incident.flights:
        return {f"flights/{day}": year.flights_of(day) for day in corrupted}
    before = [day - timedelta(days=1) for day in corrupted]
    return {f"outcomes/{day}": year.outcomes_of(day) for day in before}


def _random(day: date) -> np.random.Generator:
    return np.random.default_rng([SEED, day.toordinal()])

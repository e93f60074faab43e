"""Incidents: what each does to what is published, on its days and no others, the same way every time."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from shared import base
from shared.base import StageError
from shared.world.dataset import LATE_MINUTES, WEATHER, Year, days, load_year
from shared.world.incidents import INCIDENTS, Incident, choose, feed, publish

YEAR = list(days(date(2013, 1, 1), date(2013, 12, 31)))
IN_THE_FEED = [
    incident for incident in INCIDENTS.values() if incident.flights or incident.outcomes or incident.days_late
]
CORRECTED = [incident for incident in IN_THE_FEED if incident.corrected]


@pytest.fixture(scope="module")
def year() -> Year:
    return load_year(base.WORKSPACES / "year")


def flights(year: Year, day: date, incident: str) -> pd.DataFrame:
    return feed(year, day, [INCIDENTS[incident]])[f"flights/{day}"]


def outcomes(year: Year, about: date, incident: str) -> pd.DataFrame:
    return feed(year, about + timedelta(days=1), [INCIDENTS[incident]])[f"outcomes/{about}"]


@pytest.mark.parametrize("day", [date(2013, 5, 1), YEAR[-1]])
def test_without_incidents_it_is_the_year(year: Year, day: date) -> None:
    published, before = feed(year, day), day - timedelta(days=1)
    assert list(published) == [f"flights/{day}", f"outcomes/{before}"]
    assert published[f"flights/{day}"].equals(year.flights_of(day))
    assert published[f"outcomes/{before}"].equals(year.outcomes_of(before))


def test_temperatures_are_in_celsius(year: Year) -> None:
    day = date(2013, 5, 1)
    real, published = year.flights_of(day), flights(year, day, "celsius")
    assert (published["temp"] * 9 / 5 + 32).round(6).equals(real["temp"].round(6))
    assert published["dewp"].max() < real["dewp"].max()
    pd.testing.assert_frame_equal(published.drop(columns=["temp", "dewp"]), real.drop(columns=["temp", "dewp"]))


def test_humidity_is_a_share(year: Year) -> None:
    day = date(2013, 11, 28)
    real, published = year.flights_of(day), flights(year, day, "humidity")
    assert published["humid"].max() <= 1 < real["humid"].min()
    assert (published["humid"] * 100).round(6).equals(real["humid"].round(6))
    pd.testing.assert_frame_equal(published.drop(columns="humid"), real.drop(columns="humid"))


def test_half_of_the_flights_are_missing_and_the_others_are_as_they_were(year: Year) -> None:
    day = date(2013, 10, 28)
    real, published = year.flights_of(day), flights(year, day, "partial")
    assert len(published) == pytest.approx(len(real) / 2, rel=0.1)
    there = real[real["flight_id"].isin(published["flight_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(published, there)
    assert set(published["origin"]) == set(real["origin"])


def test_what_a_half_published_day_became_is_published_whole(year: Year) -> None:
    about = date(2013, 10, 28)
    assert outcomes(year, about, "partial").equals(year.outcomes_of(about))


def test_the_furlough_is_the_worst_week_of_its_spring(year: Year) -> None:
    furlough = INCIDENTS["furlough"]
    delays = year.outcomes["arrival_delay"].dropna()
    late = (delays >= LATE_MINUTES).groupby(delays.index).mean()

    def share(first: date) -> float:
        return float(late[str(first) : str(first + timedelta(days=6))].mean())

    assert furlough.natural
    assert share(furlough.first) > 0.37
    assert all(share(furlough.first + timedelta(weeks=n)) < 0.30 for n in (-3, -2, -1, 1, 2, 3))


def test_a_column_has_another_name(year: Year) -> None:
    day = date(2013, 3, 20)
    published = flights(year, day, "schema")
    assert "temp" not in published
    assert published["temperature"].equals(year.flights_of(day)["temp"])


def test_one_airport_has_no_weather(year: Year) -> None:
    published = flights(year, date(2013, 4, 8), "gap")
    kennedy = published["origin"] == "JFK"
    assert published.loc[kennedy, ["observed_at", *WEATHER]].isna().all(axis=None)
    assert published.loc[~kennedy, "temp"].notna().all()


def test_one_airport_repeats_a_fine_day(year: Year) -> None:
    published = flights(year, date(2013, 11, 18), "stuck")
    newark = published["origin"] == "EWR"
    assert published.loc[newark, "visib"].eq(10).all()
    assert published.loc[newark, "temp"].nunique() == 1 < published.loc[~newark, "temp"].nunique()


def test_schedules_are_in_utc(year: Year) -> None:
    day = date(2013, 11, 4)
    ahead = flights(year, day, "timezone")["scheduled_departure"] - year.flights_of(day)["scheduled_departure"]
    assert (ahead == pd.Timedelta("5h")).all()


def test_one_airline_is_gone(year: Year) -> None:
    day = date(2013, 12, 9)
    real, published = year.flights_of(day)["carrier"], flights(year, day, "merger")["carrier"]
    assert (published == "AA").sum() == real.isin(["US", "AA"]).sum() > (real == "AA").sum()


def test_some_labels_are_turned_around(year: Year) -> None:
    about = date(2013, 8, 10)
    real, published = year.outcomes_of(about)["arrival_delay"], outcomes(year, about, "labels")["arrival_delay"]
    arrived = real.notna()
    turned = (real >= LATE_MINUTES) != (published >= LATE_MINUTES)
    assert turned[arrived].mean() == pytest.approx(0.3, abs=0.05)
    assert published[~turned].equals(real[~turned])
    assert published.isna().equals(real.isna())


def test_every_row_comes_twice(year: Year) -> None:
    about = date(2013, 6, 20)
    assert len(outcomes(year, about, "twice")) == 2 * len(year.outcomes_of(about))


def test_outcomes_come_late_but_all_of_them_and_once(year: Year) -> None:
    late = [INCIDENTS["late"]]
    came = {day: [name for name in feed(year, day, late) if name.startswith("outcomes")] for day in YEAR}
    assert came[date(2013, 6, 3)] == []
    assert came[date(2013, 6, 6)] == ["outcomes/2013-06-02"]
    assert came[date(2013, 6, 10)] == ["outcomes/2013-06-06", "outcomes/2013-06-09"]
    names = [name for day in YEAR for name in came[day]]
    assert sorted(names) == [f"outcomes/{day}" for day in YEAR[:-1]]


@pytest.mark.parametrize("incident", IN_THE_FEED, ids=lambda incident: str(incident.id))
def test_it_happens_on_its_days_and_no_others(incident: Incident, year: Year) -> None:
    last = (incident.corrected or incident.last) + timedelta(days=1)
    for day in days(incident.first - timedelta(days=2), min(last, YEAR[-1])):
        with_it, without = feed(year, day, [incident]), feed(year, day)
        same = with_it.keys() == without.keys() and all(with_it[name].equals(without[name]) for name in without)
        lingers = day == incident.corrected or (incident.days_late and incident.last < day <= last)
        assert same != (incident.on(day) or bool(lingers)), day


@pytest.mark.parametrize("incident", CORRECTED, ids=lambda incident: str(incident.id))
def test_what_is_corrected_is_as_it_was(incident: Incident, year: Year, tmp_path: Path) -> None:
    assert incident.corrected
    for day in days(incident.first - timedelta(days=1), incident.corrected):
        publish(year, day, tmp_path / "with", [incident])
        publish(year, day, tmp_path / "without")
    files = sorted(path.relative_to(tmp_path / "without") for path in (tmp_path / "without").rglob("*.parquet"))
    assert len(files) > 2
    for path in files:
        assert (tmp_path / "with" / path).read_bytes() == (tmp_path / "without" / path).read_bytes(), path


def test_the_same_day_is_the_same_trouble_in_any_order(year: Year) -> None:
    first, second = date(2013, 8, 10), date(2013, 8, 11)
    once = [outcomes(year, day, "labels") for day in (first, second)]
    again = [outcomes(year, day, "labels") for day in (second, first)]
    assert once[0].equals(again[1])
    assert once[1].equals(again[0])
    assert not once[0]["arrival_delay"].reset_index(drop=True).equals(once[1]["arrival_delay"])


def test_an_incident_can_start_on_any_day(year: Year) -> None:
    moved = INCIDENTS["celsius"].starting(date(2013, 9, 1))
    assert (moved.last, moved.corrected) == (date(2013, 9, 14), date(2013, 9, 15))
    assert feed(year, moved.first, [moved])[f"flights/{moved.first}"]["temp"].max() < 40
    assert INCIDENTS["celsius"].first == date(2013, 4, 29)


def test_their_days_do_not_overlap() -> None:
    injected = [incident for incident in INCIDENTS.values() if not incident.natural]
    for before, after in pairwise(injected):
        assert max(before.last, before.corrected or before.last) < after.first, f"{before.id} and {after.id}"


def test_incidents_are_chosen_by_name() -> None:
    assert [incident.id for incident in choose("gap, celsius")] == ["gap", "celsius"]
    assert choose("all") == list(INCIDENTS.values())
    assert choose("none") == []


def test_an_unknown_incident_names_the_known_ones() -> None:
    with pytest.raises(StageError, match=r"no incident 'sharknado': choose among schema, gap,.*all or none"):
        choose("celsius,sharknado")

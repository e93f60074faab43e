"""The impact of an incident: what it did to answers through inputs, and what through models."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.scoreboard.impact import incident, incidents, periods
from shared.scoreboard.result import Result
from shared.world.incidents import INCIDENTS
from shared.world.period import Period

from .made_up import FLIGHTS, day, release, simulated, spoil


@pytest.fixture
def calm(tmp_path: Path) -> Result:
    return simulated(tmp_path / "calm.jsonl")


@pytest.fixture
def result(tmp_path: Path) -> Result:
    return simulated(tmp_path / "with.jsonl", m_2=0.5, m_3=0.213)


def look(result: Result, calm: Result) -> dict[str, Any]:
    return incident(result, calm, Period(date(2013, 6, 11), date(2013, 6, 30)))


def test_the_same_year_is_no_harm(calm: Result, result: Result) -> None:
    impact = look(result, calm)
    assert (impact["outcome"], impact["flights_moved"], impact["flights_unanswered"]) == ("no harm", 0, 0)
    assert (impact["inputs"], impact["models"]["mean"], impact["days_to_recover"]) == (None, 0, 0)


def test_answers_that_are_missing_are_harm(calm: Result, result: Result) -> None:
    impact = look(spoil(result, 10, 11, np.nan), calm)
    assert (impact["flights_unanswered"], impact["flights_moved"], impact["days_to_recover"]) == (200, 0, 2)
    assert impact["outcome"] == "never noticed"


def test_answers_that_were_moved_are_harm_through_inputs_alone(calm: Result, result: Result) -> None:
    impact = look(spoil(result, 10, 14, 0.5), calm)
    assert (impact["flights_moved"], impact["days_to_recover"]) == (5 * FLIGHTS, 5)
    late = (3 * 20 + 2 * 21) / 500  # of the days on which it was on
    usual = -late * np.log(0.2) - (1 - late) * np.log(0.8)
    assert impact["inputs"]["mean"] == pytest.approx(-np.log(0.5) - usual, abs=2e-4)
    assert impact["inputs"]["clusters"] == 5
    assert impact["models"]["mean"] == 0


def test_answers_that_were_moved_a_little_cost_little_and_are_not_counted(calm: Result, result: Result) -> None:
    impact = look(spoil(result, 10, 14, 0.25), calm)
    assert (impact["outcome"], impact["flights_moved"], impact["days_to_recover"]) == ("no harm", 0, 0)
    assert impact["inputs"]["mean"] > 0


def test_another_model_is_harm_through_models_alone(calm: Result, result: Result) -> None:
    impact = look(release(result, 9, 11, "m/2"), calm)
    assert (impact["flights_moved"], impact["inputs"], impact["outcome"]) == (0, None, "never noticed")
    assert impact["models"]["mean"] > 0.1
    assert impact["models"]["t"] > 2


def test_a_model_that_merely_differs_is_no_harm(calm: Result, result: Result) -> None:
    impact = look(release(result, 9, 11, "m/3"), calm)
    assert impact["outcome"] == "no harm"
    assert impact["models"]["mean"] > 0
    assert impact["models"]["t"] < 2


def test_the_placebo_is_the_calm_year_with_later_releases(tmp_path: Path, result: Result) -> None:
    calm = release(simulated(tmp_path / "calm.jsonl", m_2=0.5), 9, 12, "m/2")
    happened = [INCIDENTS["celsius"].starting(date(2013, 6, 11)), INCIDENTS["gap"].starting(date(2013, 6, 26))]
    found = incidents(result, calm, happened)
    assert found["celsius"]["placebo"]["mean"] < 0  # m/2 is worse, and came a week later
    assert found["gap"]["placebo"]["mean"] == 0
    assert found["gap"]["to"] == "2013-06-30"


def test_what_does_not_end_in_its_window_is_said(calm: Result, result: Result) -> None:
    assert look(spoil(result, 10, 29, 0.5), calm)["days_to_recover"] is None


def test_harm_before_its_first_day_is_not_counted(calm: Result, result: Result) -> None:
    impact = look(spoil(result, 0, 9, 0.5), calm)
    assert (impact["flights_moved"], impact["inputs"]) == (0, None)


def test_what_was_refused_is_prevented_whatever_else_goes_on(calm: Result, result: Result) -> None:
    result = spoil(result, 10, 29, 0.5)
    result.event_log.write(day(10), "incident", id="code", phase="happened", outcome="refused")
    assert look(result, calm)["outcome"] == "prevented"


def test_who_notices_first_is_named(calm: Result, result: Result) -> None:
    result = spoil(result, 10, 29, 0.5)
    result.event_log.write(day(12), "sign", kind="wrong answers", about=None, noticed=day(20), acts=day(22))
    assert (look(result, calm)["outcome"], look(result, calm)["days_to_notice"]) == ("noticed by people", 10)
    result.event_log.write(day(14), "alarm", kind="alarm")
    assert (look(result, calm)["outcome"], look(result, calm)["days_to_notice"]) == ("noticed by the machine", 4)


def test_an_alarm_of_the_calm_year_is_not_about_the_incident(calm: Result, result: Result) -> None:
    result = spoil(result, 10, 29, 0.5)
    for year in (result, calm):
        year.event_log.write(day(14), "alarm", kind="alarm")
    assert look(result, calm)["outcome"] == "never noticed"


def test_what_is_stopped_in_time_is_prevented(calm: Result, result: Result) -> None:
    result.event_log.write(day(12), "withdrawn", name="m/2", by="itself")
    assert look(result, calm)["outcome"] == "prevented"


def test_windows_follow_each_other() -> None:
    spans = list(periods(list(INCIDENTS.values()), date(2013, 12, 31)).values())
    for before, after in pairwise(spans):
        assert after.first - before.last == timedelta(days=1)
    assert spans[-1].last == date(2013, 12, 31)

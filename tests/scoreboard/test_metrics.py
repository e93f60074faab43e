"""Metrics of a year: on event logs and answers that are made up, so that the right value is known."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.scoreboard.dora import dora
from shared.scoreboard.impact import incident, periods
from shared.scoreboard.metrics import days_to_recovery, people, quality
from shared.scoreboard.result import Result
from shared.simulation.event_log import EventLog
from shared.world.incidents import INCIDENTS
from shared.world.period import Period

FIRST, DAYS, FLIGHTS = date(2013, 6, 1), 30, 100


def day(n: int) -> str:
    return str(FIRST + timedelta(days=n))


@pytest.fixture
def calm(tmp_path: Path) -> Result:
    return simulated(tmp_path / "calm.jsonl")


def simulated(path: Path, answer: float = 0.2) -> Result:
    """Return a month in which every fifth flight is late, and all answers are the same."""
    event_log = EventLog(path)
    event_log.write(day(0), "scenario")
    event_log.write(day(0), "training", by="manual", registered=True, name="m/1")
    event_log.write(day(0), "deployment", kind="model", name="m/1", share=1.0, by="people")
    days = np.repeat([day(n) for n in range(DAYS)], FLIGHTS)
    late = np.tile((np.arange(FLIGHTS) % 5 == 0).astype(float), DAYS)
    table = pd.DataFrame({"day": days, "late": late, "answer": answer}, index=[f"f{n}" for n in range(len(days))])
    return judged(Result(event_log, table))


def judged(result: Result) -> Result:
    table = result.flights
    loss = -np.log(table["answer"].where(table["late"] == 1, 1 - table["answer"]))
    return Result(result.event_log, table.assign(loss=loss))


def change(result: Result, first: int, last: int, answer: float) -> Result:
    inside = result.flights["day"].between(day(first), day(last))
    return judged(
        Result(result.event_log, result.flights.assign(answer=result.flights["answer"].mask(inside, answer)))
    )


def look(result: Result, calm: Result) -> dict[str, Any]:
    return incident(result, calm, Period(date(2013, 6, 11), date(2013, 6, 30)))


def test_quality_is_what_it_is(calm: Result) -> None:
    impact = quality(calm)
    assert impact["log_loss"] == pytest.approx(-0.2 * np.log(0.2) - 0.8 * np.log(0.8), abs=1e-4)
    assert (impact["auc"], impact["calibration_error"], impact["answered"]) == (0.5, 0.0, 1.0)
    assert quality(change(calm, 0, 14, 0.3))["calibration_error"] == pytest.approx(0.05)


def test_the_same_year_is_no_harm(calm: Result, tmp_path: Path) -> None:
    impact = look(simulated(tmp_path / "b.jsonl"), calm)
    assert (impact["outcome"], impact["flights_harmed"], impact["excess_log_loss"]) == ("no harm", 0, 0)
    assert impact["days_to_recover"] == 0


def test_answers_that_are_missing_are_harm(calm: Result, tmp_path: Path) -> None:
    result = change(simulated(tmp_path / "b.jsonl"), 10, 11, np.nan)
    impact = look(result, calm)
    assert (impact["flights_unanswered"], impact["flights_harmed"], impact["days_to_recover"]) == (200, 200, 2)
    assert impact["outcome"] == "never noticed"


def test_answers_that_are_off_on_a_worse_day_are_harm(calm: Result, tmp_path: Path) -> None:
    impact = look(change(simulated(tmp_path / "b.jsonl"), 10, 14, 0.5), calm)
    assert impact["flights_harmed"] == 5 * FLIGHTS
    expected = -np.log(0.5) + 0.2 * np.log(0.2) + 0.8 * np.log(0.8)
    assert impact["excess_log_loss"] == pytest.approx(expected * 5 / 20, abs=1e-4)
    assert impact["days_to_recover"] == 5


def test_answers_that_are_off_on_a_better_day_are_no_harm(calm: Result, tmp_path: Path) -> None:
    result = simulated(tmp_path / "b.jsonl")
    late = result.flights["late"] == 1
    knowing = judged(
        Result(result.event_log, result.flights.assign(answer=result.flights["answer"].mask(late, 0.9)))
    )
    assert look(knowing, calm)["flights_harmed"] == 0


def test_what_does_not_end_in_its_window_is_said(calm: Result, tmp_path: Path) -> None:
    assert look(change(simulated(tmp_path / "b.jsonl"), 10, 29, 0.5), calm)["days_to_recover"] is None


def test_harm_before_its_first_day_is_not_counted(calm: Result, tmp_path: Path) -> None:
    assert look(change(simulated(tmp_path / "b.jsonl"), 0, 9, 0.5), calm)["flights_harmed"] == 0


def test_what_was_left_by_an_earlier_one_is_not_held_against_it(calm: Result, tmp_path: Path) -> None:
    impact = look(change(simulated(tmp_path / "b.jsonl"), 0, 29, 0.5), calm)
    assert (impact["outcome"], impact["days_to_recover"]) == ("no harm", 0)
    assert impact["flights_harmed"] == impact["flights_left_harmed"] == 20 * FLIGHTS


def test_what_was_refused_is_prevented_whatever_else_goes_on(calm: Result, tmp_path: Path) -> None:
    result = change(simulated(tmp_path / "b.jsonl"), 10, 29, 0.5)
    result.event_log.write(day(10), "incident", id="code", phase="happened", outcome="refused")
    assert look(result, calm)["outcome"] == "prevented"


def test_who_notices_first_is_named(calm: Result, tmp_path: Path) -> None:
    result = change(simulated(tmp_path / "b.jsonl"), 10, 29, 0.5)
    result.event_log.write(day(12), "sign", kind="wrong answers", about=None, noticed=day(20), acts=day(22))
    assert (look(result, calm)["outcome"], look(result, calm)["days_to_notice"]) == ("noticed by people", 10)
    result.event_log.write(day(14), "alarm", kind="alarm")
    assert (look(result, calm)["outcome"], look(result, calm)["days_to_notice"]) == ("noticed by the machine", 4)


def test_an_alarm_of_the_calm_year_is_not_about_the_incident(calm: Result, tmp_path: Path) -> None:
    result = change(simulated(tmp_path / "b.jsonl"), 10, 29, 0.5)
    for year in (result, calm):
        year.event_log.write(day(14), "alarm", kind="alarm")
    assert look(result, calm)["outcome"] == "never noticed"


def test_what_is_stopped_in_time_is_prevented(calm: Result, tmp_path: Path) -> None:
    result = simulated(tmp_path / "b.jsonl")
    result.event_log.write(day(12), "withdrawn", name="m/2", by="itself")
    assert look(result, calm)["outcome"] == "prevented"


def test_windows_follow_each_other() -> None:
    spans = list(periods(list(INCIDENTS.values()), date(2013, 12, 31)).values())
    for before, after in pairwise(spans):
        assert after.first - before.last == timedelta(days=1)
    assert spans[-1].last == date(2013, 12, 31)


def release(result: Result, trained: int, released: int, name: str) -> None:
    result.event_log.write(day(trained), "training", by="schedule", registered=True, name=name)
    result.event_log.write(day(released), "deployment", kind="model", name=name, share=1.0, by="people")


def test_releases_are_measured_as_dora_says(calm: Result, tmp_path: Path) -> None:
    result = simulated(tmp_path / "b.jsonl")
    release(result, 5, 8, "m/2")
    release(result, 10, 15, "m/3")
    result.event_log.write(day(29), "day")
    impact = dora(change(result, 8, 14, 0.5), calm)
    assert (impact["deployments"], impact["change_lead_time_days"], impact["change_fail_rate"]) == (2, 4, 0.5)
    assert impact["failed_deployment_recovery_days"] == 7
    assert impact["deployment_rework_rate"] == 0


def test_recovery_is_a_model_that_learned_after_the_shift(calm: Result) -> None:
    release(calm, 30, 31, "m/2")  # has seen a week of storms, but only to be judged by
    release(calm, 31, 34, "m/3")
    assert days_to_recovery(calm) == [11, None]


def test_steps_are_counted_by_role_and_release(calm: Result) -> None:
    release(calm, 5, 8, "m/2")
    for n, why in ((0, "first model"), (8, "candidate waits"), (8, "candidate waits"), (9, "")):
        calm.event_log.write(day(n), "step", id="x", role="engineer", why=why, ok=True)
    assert people(calm) == {"human_steps": 3, "by_role": {"engineer": 3}, "steps_per_release": 2.0}

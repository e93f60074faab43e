"""Figures about a year: on ledgers and answers that are made up, so that the right figure is known."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.scoreboard.dora import dora
from shared.scoreboard.impact import incident, windows
from shared.scoreboard.metrics import days_to_recovery, people, quality
from shared.scoreboard.result import Played
from shared.simulation.event_log import Ledger
from shared.world.incidents import INCIDENTS

FIRST, DAYS, FLIGHTS = date(2013, 6, 1), 30, 100


def day(n: int) -> str:
    return str(FIRST + timedelta(days=n))


@pytest.fixture
def calm(tmp_path: Path) -> Played:
    return play(tmp_path / "calm.jsonl")


def play(path: Path, answer: float = 0.2) -> Played:
    """Return a month in which every fifth flight is late, and all answers are the same."""
    ledger = Ledger(path)
    ledger.write(day(0), "play")
    ledger.write(day(0), "training", by="manual", registered=True, name="m/1")
    ledger.write(day(0), "deployment", kind="model", name="m/1", share=1.0, by="people")
    days = np.repeat([day(n) for n in range(DAYS)], FLIGHTS)
    late = np.tile((np.arange(FLIGHTS) % 5 == 0).astype(float), DAYS)
    table = pd.DataFrame({"day": days, "late": late, "answer": answer}, index=[f"f{n}" for n in range(len(days))])
    return judged(Played(ledger, table))


def judged(played: Played) -> Played:
    table = played.flights
    loss = -np.log(table["answer"].where(table["late"] == 1, 1 - table["answer"]))
    return Played(played.ledger, table.assign(loss=loss))


def change(played: Played, first: int, last: int, answer: float) -> Played:
    inside = played.flights["day"].between(day(first), day(last))
    return judged(
        Played(played.ledger, played.flights.assign(answer=played.flights["answer"].mask(inside, answer)))
    )


def look(played: Played, calm: Played) -> dict[str, Any]:
    return incident(played, calm, date(2013, 6, 11), date(2013, 6, 30))


def test_quality_is_what_it_is(calm: Played) -> None:
    found = quality(calm)
    assert found["log_loss"] == pytest.approx(-0.2 * np.log(0.2) - 0.8 * np.log(0.8), abs=1e-4)
    assert (found["auc"], found["calibration_error"], found["answered"]) == (0.5, 0.0, 1.0)
    assert quality(change(calm, 0, 14, 0.3))["calibration_error"] == pytest.approx(0.05)


def test_the_same_year_is_no_harm(calm: Played, tmp_path: Path) -> None:
    found = look(play(tmp_path / "b.jsonl"), calm)
    assert (found["outcome"], found["flights_harmed"], found["extra_log_loss"]) == ("no harm", 0, 0)
    assert found["days_to_recover"] == 0


def test_answers_that_are_missing_are_harm(calm: Played, tmp_path: Path) -> None:
    played = change(play(tmp_path / "b.jsonl"), 10, 11, np.nan)
    found = look(played, calm)
    assert (found["flights_unanswered"], found["flights_harmed"], found["days_to_recover"]) == (200, 200, 2)
    assert found["outcome"] == "never noticed"


def test_answers_that_are_off_on_a_worse_day_are_harm(calm: Played, tmp_path: Path) -> None:
    found = look(change(play(tmp_path / "b.jsonl"), 10, 14, 0.5), calm)
    assert found["flights_harmed"] == 5 * FLIGHTS
    expected = -np.log(0.5) + 0.2 * np.log(0.2) + 0.8 * np.log(0.8)
    assert found["extra_log_loss"] == pytest.approx(expected * 5 / 20, abs=1e-4)
    assert found["days_to_recover"] == 5


def test_answers_that_are_off_on_a_better_day_are_no_harm(calm: Played, tmp_path: Path) -> None:
    played = play(tmp_path / "b.jsonl")
    late = played.flights["late"] == 1
    knowing = judged(Played(played.ledger, played.flights.assign(answer=played.flights["answer"].mask(late, 0.9))))
    assert look(knowing, calm)["flights_harmed"] == 0


def test_what_does_not_end_in_its_window_is_said(calm: Played, tmp_path: Path) -> None:
    assert look(change(play(tmp_path / "b.jsonl"), 10, 29, 0.5), calm)["days_to_recover"] is None


def test_harm_before_its_first_day_is_not_counted(calm: Played, tmp_path: Path) -> None:
    assert look(change(play(tmp_path / "b.jsonl"), 0, 9, 0.5), calm)["flights_harmed"] == 0


def test_what_was_left_by_an_earlier_one_is_not_held_against_it(calm: Played, tmp_path: Path) -> None:
    found = look(change(play(tmp_path / "b.jsonl"), 0, 29, 0.5), calm)
    assert (found["outcome"], found["days_to_recover"]) == ("no harm", 0)
    assert found["flights_harmed"] == found["flights_left_harmed"] == 20 * FLIGHTS


def test_what_was_refused_is_prevented_whatever_else_goes_on(calm: Played, tmp_path: Path) -> None:
    played = change(play(tmp_path / "b.jsonl"), 10, 29, 0.5)
    played.ledger.write(day(10), "incident", id="code", phase="happened", says="a change was refused by the tests")
    assert look(played, calm)["outcome"] == "prevented"


def test_who_notices_first_is_named(calm: Played, tmp_path: Path) -> None:
    played = change(play(tmp_path / "b.jsonl"), 10, 29, 0.5)
    played.ledger.write(day(12), "sign", of="wrong answers", about=None, noticed=day(20), acts=day(22))
    assert (look(played, calm)["outcome"], look(played, calm)["days_to_notice"]) == ("noticed by people", 10)
    played.ledger.write(day(14), "alarm", of="ALARM")
    assert (look(played, calm)["outcome"], look(played, calm)["days_to_notice"]) == ("noticed by the machine", 4)


def test_an_alarm_of_the_calm_year_is_not_about_the_incident(calm: Played, tmp_path: Path) -> None:
    played = change(play(tmp_path / "b.jsonl"), 10, 29, 0.5)
    for each in (played, calm):
        each.ledger.write(day(14), "alarm", of="ALARM")
    assert look(played, calm)["outcome"] == "never noticed"


def test_what_is_stopped_in_time_is_prevented(calm: Played, tmp_path: Path) -> None:
    played = play(tmp_path / "b.jsonl")
    played.ledger.write(day(12), "withdrawn", name="m/2", by="itself")
    assert look(played, calm)["outcome"] == "prevented"


def test_windows_follow_each_other() -> None:
    spans = list(windows(list(INCIDENTS.values()), date(2013, 12, 31)).values())
    for before, after in pairwise(spans):
        assert after[0] - before[1] == timedelta(days=1)
    assert spans[-1][1] == date(2013, 12, 31)


def release(played: Played, trained: int, released: int, name: str) -> None:
    played.ledger.write(day(trained), "training", by="schedule", registered=True, name=name)
    played.ledger.write(day(released), "deployment", kind="model", name=name, share=1.0, by="people")


def test_releases_are_measured_as_dora_says(calm: Played, tmp_path: Path) -> None:
    played = play(tmp_path / "b.jsonl")
    release(played, 5, 8, "m/2")
    release(played, 10, 15, "m/3")
    played.ledger.write(day(29), "day")
    found = dora(change(played, 8, 14, 0.5), calm)
    assert (found["deployments"], found["change_lead_time_days"], found["change_fail_rate"]) == (2, 4, 0.5)
    assert found["failed_deployment_recovery_days"] == 7
    assert found["deployment_rework_rate"] == 0


def test_recovery_is_a_model_that_learned_after_the_shift(calm: Played) -> None:
    release(calm, 30, 31, "m/2")  # has seen a week of storms, but only to be judged by
    release(calm, 31, 34, "m/3")
    assert days_to_recovery(calm) == [11, None]


def test_steps_are_counted_by_role_and_release(calm: Played) -> None:
    release(calm, 5, 8, "m/2")
    for n, why in ((0, "first model"), (8, "candidate waits"), (8, "candidate waits"), (9, "")):
        calm.ledger.write(day(n), "step", id="x", role="engineer", why=why, ok=True)
    assert people(calm) == {"human_steps": 3, "by_role": {"engineer": 3}, "steps_per_release": 2.0}

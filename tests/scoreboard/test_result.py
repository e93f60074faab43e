"""What the models say about the real input, beside what was answered."""

from pathlib import Path

import numpy as np
import pytest

from shared.base import StageError
from shared.scoreboard.result import Result, clean_answers

from .made_up import FLIGHTS, day, release, simulated, spoil


def test_an_answer_is_compared_with_its_own_model_and_intercept(tmp_path: Path) -> None:
    result = release(simulated(tmp_path / "a.jsonl", m_2=0.5), 3, 5, "m/2")
    flights = result.flights.assign(intercept=0.3)
    clean = clean_answers(flights["model"], flights["intercept"], result.replayed)
    expected = np.where(flights["day"] < day(5), np.log(0.2 / 0.8) + 0.3, 0.3)
    assert clean.to_numpy() == pytest.approx(1 / (1 + np.exp(-expected)))


def test_a_flight_without_an_answer_has_no_clean_one(tmp_path: Path) -> None:
    result = spoil(simulated(tmp_path / "a.jsonl"), 2, 2, np.nan)
    assert result.flights["clean"].isna().sum() == result.flights["loss"].isna().sum() == FLIGHTS


def test_a_model_that_the_replay_lacks_is_named(tmp_path: Path) -> None:
    result = simulated(tmp_path / "a.jsonl")
    flights = result.flights.assign(model="m/7")
    with pytest.raises(StageError, match="lacks flights, or models that answered: m/7"):
        Result.of(result.event_log, flights, result.replayed)


def test_a_calm_year_that_the_replay_does_not_give_is_refused(tmp_path: Path) -> None:
    result = simulated(tmp_path / "a.jsonl")
    result.check_replay()
    with pytest.raises(StageError, match="the replay of level 1's calm year differs from 200 of its answers"):
        spoil(result, 3, 4, 0.21).check_replay()


def test_releases_that_come_later_change_the_days_between(tmp_path: Path) -> None:
    result = release(simulated(tmp_path / "a.jsonl", m_2=0.5), 3, 5, "m/2")
    later = result.released_later(7)
    changed = result.flights["day"][~np.isclose(later, result.flights["loss"])].unique()
    assert list(changed) == [day(n) for n in range(5, 12)]

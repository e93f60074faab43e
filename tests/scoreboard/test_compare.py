"""Levels against each other: on flights and losses that are made up."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from shared.scoreboard.compare import SHIFTS, Losses, after_shifts, differences, gains, mondays, shifted

FIRST, DAYS = date(2013, 6, 1), 140
NAMES = [str(FIRST + timedelta(days=n // 2)) for n in range(2 * DAYS)]


def losses(loss: "np.ndarray | float") -> pd.DataFrame:
    """Return two flights a day with these losses."""
    return pd.DataFrame({"day": NAMES, "loss": loss}, index=[f"f{n}" for n in range(len(NAMES))])


@pytest.fixture
def levels() -> Losses:
    random = np.random.default_rng(0)
    return {
        number: {name: losses(0.5 + random.normal(shift, 0.1, len(NAMES))) for name in ("year", "calm")}
        for number, shift in (("0", 0.0), ("1", 0.0), ("2", -0.1))
    }


def test_every_pair_of_levels_is_compared(levels: Losses) -> None:
    found = differences(levels)
    assert list(found) == ["1-0", "2-0", "2-1"]
    assert found["2-1"]["calm"]["mean"] == pytest.approx(-0.1, abs=0.03)
    assert found["2-1"]["calm"]["t"] < -2 < abs(found["1-0"]["calm"]["t"])
    assert found["2-1"]["calm"]["clusters"] == len(set(mondays(pd.Series(NAMES))))


def test_only_flights_that_both_answered_are_compared(levels: Losses) -> None:
    levels["2"]["calm"]["loss"] = levels["1"]["calm"]["loss"] - 0.1
    levels["2"]["calm"].iloc[:50, 1] = np.nan
    levels["1"]["calm"] = levels["1"]["calm"].iloc[:-20]  # the others were not published
    assert differences(levels)["2-1"]["calm"]["mean"] == pytest.approx(-0.1)
    assert sum(flights for flights, _ in gains(levels)["2"]["calm"].values()) == len(NAMES) - 70


def test_gains_add_up_to_the_difference(levels: Losses) -> None:
    of_weeks = gains(levels)["2"]["calm"].values()
    mean = differences(levels)["2-1"]["calm"]["mean"]
    assert sum(gained for _, gained in of_weeks) / len(NAMES) == pytest.approx(-mean, abs=1e-3)
    assert set(gains(levels)) == {"0", "2"}


def test_six_weeks_after_each_shift_are_whole_weeks() -> None:
    inside = after_shifts(losses(0.5))["day"]
    assert len(inside) == 2 * 2 * 42
    assert inside.min() == str(SHIFTS[0])
    assert (mondays(inside).value_counts() == 14).all()
    assert shifted(losses(0.5)) == {"after_shifts": 0.5}
    assert shifted(losses(np.nan)) == {"after_shifts": None}

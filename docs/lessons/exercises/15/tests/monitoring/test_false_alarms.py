"""How often the performance trigger raises a false alarm, and how late a true one, on made-up days.

A day's bias has heavy tails and takes after the day before, as in a real year.
"""

import numpy as np
import pandas as pd
import pytest

from ...config.policy import read_policy
from ...monitoring.triggers import retraining_alarm

DAYS, SERIES = 120, 60
MOST_FALSE, LATEST = 5, 7.8
DEVIATION = 0.12  # of the daily bias
INDEX = pd.date_range("2013-06-01", periods=DAYS).strftime("%Y-%m-%d")


def biases(shift: float) -> np.ndarray:
    """Return the bias of each day, one series a row."""
    random = np.random.default_rng(0)
    noise = random.standard_t(4, size=(SERIES, DAYS)) * DEVIATION / np.sqrt(2)
    for day in range(1, DAYS):
        noise[:, day] = 0.3 * noise[:, day - 1] + np.sqrt(1 - 0.3**2) * noise[:, day]
    return noise + shift


def first_alarm(bias: np.ndarray) -> int:
    """Return after how many days the alarm comes; DAYS if it does not."""
    window, policy = pd.DataFrame({"raw_bias": bias}, index=INDEX), read_policy().retraining
    for length in range(1, DAYS):
        if retraining_alarm(window.head(length), INDEX[0], 0, 0, policy):
            return length
    return DAYS


@pytest.fixture(scope="module")
def measured() -> tuple[int, float, str]:
    """Return how many quiet periods raise an alarm, after how many days a true one comes, and both in words."""
    false = sum(first_alarm(bias) < DAYS for bias in biases(0.0))
    days = float(np.mean([first_alarm(bias) for bias in biases(-2 * DEVIATION)]))
    words = (
        f"{false} of {SERIES} quiet periods of {DAYS} days raise an alarm, a true one comes after {days:.1f} days"
    )
    return false, days, words


def test_days_that_are_alike_rarely_raise_an_alarm(measured: tuple[int, float, str]) -> None:
    false, _, words = measured
    assert false <= MOST_FALSE, f"{words}; at most {MOST_FALSE} periods may"


def test_predictions_that_are_too_low_by_two_deviations_are_noticed_soon(measured: tuple[int, float, str]) -> None:
    _, days, words = measured
    assert days <= LATEST, f"{words}; within {LATEST} it must"

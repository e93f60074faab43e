"""The difference between two models, and how sure it is."""

import numpy as np
import pytest

from ...training.paired import Difference, paired_difference


def days_of(count: int, instances: int, seed: int, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return differences that vary from day to day, and within a day hardly at all."""
    random = np.random.default_rng(seed)
    of_day, of_instance = random.normal(0, spread, count), random.normal(0, 0.1, count * instances)
    return of_day.repeat(instances) + of_instance, np.arange(count).repeat(instances)


def test_more_instances_on_the_same_days_make_it_no_surer() -> None:
    few, many = (paired_difference(*days_of(14, instances, seed=0)) for instances in (10, 10_000))
    assert many.error == pytest.approx(few.error, rel=0.1)
    assert many.days == few.days == 14


def test_days_of_equal_size_give_the_standard_error_of_their_means() -> None:
    excess, days = days_of(7, 100, seed=1)
    means = excess.reshape(7, 100).mean(axis=1)
    difference = paired_difference(excess, days)
    assert difference.mean == pytest.approx(means.mean())
    assert difference.error == pytest.approx(means.std(ddof=1) / np.sqrt(7))


def test_nineteen_intervals_in_twenty_hold_the_truth() -> None:
    differences = [paired_difference(*days_of(7, 50, seed)) for seed in range(1_000)]
    outside = sum(each.lower(0.975) > 0 or each.upper(0.975) < 0 for each in differences)
    assert 30 <= outside <= 70


def test_a_single_day_says_nothing() -> None:
    difference = paired_difference(np.array([0.1, 0.3]), np.array([4, 4]))
    assert difference.mean == pytest.approx(0.2)
    assert difference.lower(0.975) < 0 < difference.upper(0.975)
    assert str(difference) == "+0.2000 on a single day"


def test_it_is_shown_with_its_interval() -> None:
    assert str(Difference(-0.0021, 0.002, 7)) == "-0.0021 ± 0.0049"

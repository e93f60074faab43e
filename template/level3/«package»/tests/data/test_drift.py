"""Drift: what changed lately stands in a number, and what did not, does not."""

import numpy as np
import pandas as pd
import pytest

from ...config.problem import ID, OUTCOME
from ...data.drift import drift_of
from ..example import CATEGORY, NUMBER


def test_a_column_in_another_unit_is_far_off_and_the_others_are_not(instances: pd.DataFrame) -> None:
    mean, deviation = instances[NUMBER].mean(), instances[NUMBER].std()
    drift = drift_of(instances, instances.assign(**{NUMBER: instances[NUMBER] + 5 * deviation}))
    moved = drift.pop(NUMBER)
    assert moved["kolmogorov_smirnov"] > 0.8
    assert moved["mean_before"] == pytest.approx(mean)
    assert moved["mean_lately"] == pytest.approx(mean + 5 * deviation)
    assert {facts["kolmogorov_smirnov"] for facts in drift.values()} == {0}


def test_a_column_that_is_gone_is_missing(instances: pd.DataFrame) -> None:
    gone = drift_of(instances, instances.assign(**{NUMBER: np.nan}))[NUMBER]
    assert gone["missing_lately"] == 1
    assert "kolmogorov_smirnov" not in gone


def test_what_is_no_number_is_left_out(instances: pd.DataFrame) -> None:
    assert {NUMBER, OUTCOME} <= drift_of(instances, instances).keys()
    assert not {ID, CATEGORY} & drift_of(instances, instances).keys()

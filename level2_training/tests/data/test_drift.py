"""Drift: what changed lately stands in a number, and what did not, does not."""

import numpy as np
import pandas as pd

from ...data.drift import drift_of


def test_a_column_in_another_unit_is_far_off_and_the_others_are_not(flights: pd.DataFrame) -> None:
    celsius = flights.assign(temp=(flights["temp"] - 32) * 5 / 9)
    drift = drift_of(flights, celsius)
    assert drift["temp"]["kolmogorov_smirnov"] > 0.8
    assert abs(drift["temp"]["mean_before"] - 50) < 1
    assert abs(drift["temp"]["mean_lately"] - 10) < 1
    assert drift["dewp"]["kolmogorov_smirnov"] == 0


def test_a_column_that_is_gone_is_missing(flights: pd.DataFrame) -> None:
    gone = drift_of(flights, flights.assign(temp=np.nan))["temp"]
    assert gone["missing_lately"] == 1
    assert "kolmogorov_smirnov" not in gone


def test_numbers_that_are_names_are_left_out(flights: pd.DataFrame) -> None:
    assert {"temp", "distance", "arrival_delay"} <= drift_of(flights, flights).keys()
    assert not {"flight", "origin"} & drift_of(flights, flights).keys()

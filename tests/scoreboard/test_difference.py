"""The error of a mean difference: of values that can be computed by hand."""

import numpy as np
import pandas as pd
import pytest

from shared.scoreboard.difference import Difference, clustered, is_measurable, of_sums


def test_the_error_is_that_of_the_formula() -> None:
    # Two days of two flights, mean 2: the sums of deviations are -2 and 2, so sqrt(2/1 * (4 + 4)) / 4 = 1.
    found = clustered(pd.Series([0.0, 2.0, 3.0, 3.0]), pd.Series(["a", "a", "b", "b"]))
    assert found == Difference(2.0, 1.0, 2)
    assert found.t == 2.0


def test_clusters_of_one_flight_give_the_usual_error() -> None:
    values = pd.Series(np.random.default_rng(0).normal(size=50))
    found = clustered(values, pd.Series(range(50)).astype(str))
    assert found
    assert found.error == pytest.approx(values.std() / np.sqrt(50))


def test_more_flights_of_the_same_days_tell_no_more() -> None:
    values, days = pd.Series([0.1, 0.3, -0.2]), pd.Series(["a", "b", "c"])
    once = clustered(values, days)
    often = clustered(values.repeat(9).reset_index(drop=True), days.repeat(9).reset_index(drop=True))
    assert once
    assert often
    assert often.error == pytest.approx(once.error)


def test_flights_without_a_difference_do_not_count() -> None:
    with_gap = clustered(pd.Series([0.0, np.nan, 3.0, 1.0]), pd.Series(["a", "a", "b", "c"]))
    assert with_gap == clustered(pd.Series([0.0, 3.0, 1.0]), pd.Series(["a", "b", "c"]))
    assert clustered(pd.Series([np.nan]), pd.Series(["a"])) is None


def test_one_cluster_has_no_error_and_no_t() -> None:
    found = of_sums(pd.Series([3.0]), pd.Series([2]))
    assert (found.mean, found.error, found.t) == (1.5, None, None)


def test_what_is_always_the_same_is_no_difference_that_can_be_measured() -> None:
    nothing = of_sums(pd.Series([0.0, 0.0]), pd.Series([5, 7])).figures()
    assert nothing == {"mean": 0.0, "error": 0.0, "t": None, "clusters": 2}
    assert not is_measurable(nothing)
    assert [is_measurable({"t": t}) for t in (-2.5, -1.5, 1.5, 2.5)] == [True, False, False, True]

"""Judging a candidate on days it has not seen."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from ...config.problem import ID, OUTCOME, SLICES, TIME
from ...training.evaluate import NotBetterError, check_beats, compare, excess_log_loss, hold_out, slices
from ...training.model import is_late, late_probability
from ...training.paired import Difference
from ..conftest import make_flights
from ..example import CATEGORY

LATEST = str(make_flights(days=14).groupby(CATEGORY)[OUTCOME].mean().idxmax())  # whose flights are late most often


class Stub:
    """A model with one answer for flights of that category and another one for all others."""

    def __init__(self, latest: float, others: float) -> None:
        self.latest, self.others = latest, others

    def predict_proba(self, flights: pd.DataFrame) -> np.ndarray[Any, Any]:
        late = np.where(flights[CATEGORY] == LATEST, self.latest, self.others)
        return np.column_stack([1 - late, late])


MODELS: Any = {"candidate": Stub(0.8, 0.3), "champion": Stub(0.5, 0.5)}


def predicted(models: Any, flights: pd.DataFrame) -> dict[str, np.ndarray]:
    return {name: late_probability(model, flights) for name, model in models.items()}


@pytest.mark.parametrize("days", [1, 3, 7])
def test_the_last_days_are_held_out_and_nothing_is_lost(flights: pd.DataFrame, days: int) -> None:
    past, recent = hold_out(flights, days)
    assert len(past) + len(recent) == len(flights)
    dates = [set(part[TIME].dt.date) for part in (past, recent)]
    assert dates[0].isdisjoint(dates[1])
    assert sorted(dates[0] | dates[1])[-days:] == sorted(dates[1])


def test_a_day_is_held_out_from_its_first_minute_to_its_last() -> None:
    moments = ["2013-03-01T23:59", "2013-03-02T00:00", "2013-03-02T23:59", "2013-03-03T00:00", "2013-03-03T05:00"]
    past, recent = hold_out(pd.DataFrame({TIME: pd.to_datetime(moments)}), days=2)
    assert past.index.tolist() == [0]
    assert recent.index.tolist() == [1, 2, 3, 4]


def test_the_order_of_the_rows_does_not_change_what_is_held_out(flights: pd.DataFrame) -> None:
    _, recent = hold_out(flights, 3)
    _, shuffled = hold_out(flights.sample(frac=1, random_state=0), 3)
    assert set(shuffled[ID]) == set(recent[ID])


def test_every_hour_is_in_its_band() -> None:
    hours = pd.DataFrame({TIME: pd.date_range("2013-03-01", periods=24, freq="h")})
    bands = slices(hours.assign(**dict.fromkeys(SLICES, "one")))["hour"]
    sizes = {"before 9": 9, "9 to 12": 4, "13 to 16": 4, "17 to 20": 4, "after 20": 3}
    assert bands.tolist() == [name for name, size in sizes.items() for _ in range(size)]


def test_overall_and_in_every_slice_the_loss_is_that_of_its_flights(flights: pd.DataFrame) -> None:
    report = compare(predicted(MODELS, flights), flights)
    late = is_late(flights) == 1
    answer = np.where(flights[CATEGORY] == LATEST, 0.8, 0.3)
    assert report["overall"]["candidate"]["log_loss"] == pytest.approx(log_loss(late, answer))
    assert report["overall"]["champion"] == pytest.approx({"log_loss": np.log(2), "auc": 0.5})
    for cut in SLICES:
        assert set(report["slices"][cut]) == set(flights[cut])
        for value, losses in report["slices"][cut].items():
            here = flights[cut] == value
            expected = log_loss(late[here], answer[here], labels=[False, True])
            assert losses == pytest.approx({"candidate": expected, "champion": np.log(2)})


def test_a_ranking_turned_round_has_the_rest_of_the_auc(flights: pd.DataFrame) -> None:
    ranked = compare(predicted({"one": Stub(0.9, 0.1), "other": Stub(0.1, 0.9)}, flights), flights)["overall"]
    assert ranked["one"]["auc"] > 0.55
    assert ranked["one"]["auc"] + ranked["other"]["auc"] == pytest.approx(1)


def test_the_slices_of_a_cut_add_up_to_the_whole(flights: pd.DataFrame) -> None:
    report = compare(predicted(MODELS, flights), flights)
    for cut, values in slices(flights).items():
        share = values.value_counts(normalize=True)
        total = sum(losses["candidate"] * share[value] for value, losses in report["slices"][cut].items())
        assert total == pytest.approx(report["overall"]["candidate"]["log_loss"])


def test_a_slice_of_few_flights_is_left_out(flights: pd.DataFrame) -> None:
    flights.loc[flights.index[:100], CATEGORY] = "enough"
    flights.loc[flights.index[100:199], CATEGORY] = "too few"
    judged = compare(predicted(MODELS, flights), flights)["slices"][CATEGORY]
    assert "enough" in judged
    assert "too few" not in judged


def test_a_slice_without_a_late_flight_is_judged_too(flights: pd.DataFrame) -> None:
    punctual = next(value for value in flights[CATEGORY] if value != LATEST)
    flights.loc[flights[CATEGORY] == punctual, OUTCOME] = 0.0
    judged = compare(predicted(MODELS, flights), flights)["slices"][CATEGORY]
    assert judged[punctual]["candidate"] == pytest.approx(-np.log(0.7))


def test_a_candidate_is_compared_flight_by_flight_and_day_by_day(flights: pd.DataFrame) -> None:
    here = predicted(MODELS, flights)
    excess = excess_log_loss(here["candidate"], here["champion"], flights)
    overall = compare(here, flights)["overall"]
    assert excess.mean == pytest.approx(overall["candidate"]["log_loss"] - overall["champion"]["log_loss"])
    assert excess.days == 14


def test_a_candidate_that_is_better_or_perhaps_better_passes() -> None:
    better, perhaps = Difference(-0.02, 0.005, 7), Difference(0.02, 0.02, 7)
    check_beats({"mean": better, "hour": perhaps, "champion": Difference(0.1, 0.001, 7)}, ["mean", "hour"])


@pytest.mark.parametrize("mean", [0.02, -0.0005, float("nan")])
def test_a_candidate_that_surely_gains_nothing_on_a_baseline_is_refused(mean: float) -> None:
    """Such as one that has learned nothing, and says the mean itself."""
    excess = {"mean": Difference(-0.02, 0.005, 7), "hour": Difference(mean, 0.0001, 7)}
    with pytest.raises(NotBetterError, match=f"not registered.*{re.escape(format(mean, '+.4f'))}.*'hour'"):
        check_beats(excess, ["mean", "hour"])

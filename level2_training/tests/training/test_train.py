"""Fitting, and noticing a fit that went astray."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ...config.params import read_params
from ...errors import RefusedError
from ...training.model import is_late, late_probability
from ...training.train import DivergedError, check_learned, train, train_baselines
from ..example import NUMBER, OUT_OF_RANGE, UNSEEN

FAST = {"max_iter": 20, "min_samples_leaf": 20, "random_state": 0}


class Stub:
    """A model that answers every flight the same."""

    def __init__(self, answer: float) -> None:
        self.answer = answer

    def predict_proba(self, flights: pd.DataFrame) -> np.ndarray[Any, Any]:
        return np.full((len(flights), 2), self.answer)


def test_a_few_flights_can_be_learned_by_heart(flights: pd.DataFrame) -> None:
    few = flights.head(60)
    model = train(few, {"max_iter": 60, "learning_rate": 0.5, "min_samples_leaf": 1, "random_state": 0})
    assert check_learned(model, few) < 0.001


def test_more_iterations_learn_more(flights: pd.DataFrame) -> None:
    losses = [check_learned(train(flights, FAST | {"max_iter": n}), flights) for n in (1, 5, 25)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] - 0.1


def test_the_loss_is_the_one_of_the_answers(flights: pd.DataFrame) -> None:
    model = train(flights, FAST)
    late, answer = is_late(flights) == 1, late_probability(model, flights)
    expected = -np.mean(np.log(np.where(late, answer, 1 - answer)))
    assert check_learned(model, flights) == pytest.approx(expected, abs=1e-12)


def test_an_absurd_learning_rate_is_noticed(flights: pd.DataFrame) -> None:
    model = train(flights, read_params().model.model_dump() | {"max_iter": 10, "learning_rate": 1e6})
    with pytest.raises(DivergedError, match="lower the learning rate"):
        check_learned(model, flights)


@pytest.mark.parametrize("answer", [np.nan, np.inf])
def test_an_answer_that_is_no_number_is_noticed(flights: pd.DataFrame, answer: float) -> None:
    with pytest.raises(DivergedError, match="not numbers"):
        check_learned(Stub(answer), flights)


def test_a_model_that_knows_nothing_is_noticed(flights: pd.DataFrame) -> None:
    with pytest.raises(DivergedError):
        check_learned(train_baselines(flights)["mean"], flights)


def test_a_training_that_diverged_is_not_tried_again() -> None:
    assert issubclass(DivergedError, RefusedError)


def test_the_same_parameters_give_the_same_answers(flights: pd.DataFrame) -> None:
    params = read_params().model.model_dump() | {"max_iter": 30}
    once, again = (late_probability(train(flights, params), flights) for _ in range(2))
    np.testing.assert_allclose(once, again, rtol=0, atol=1e-12)


def test_another_seed_gives_other_answers(flights: pd.DataFrame) -> None:
    """Which is true only because a tree may look at a share of the features: nothing else is drawn at random."""
    params = read_params().model.model_dump() | {"max_iter": 10}
    one, other = (late_probability(train(flights, params | {"random_state": seed}), flights) for seed in (0, 1))
    assert np.abs(one - other).max() > 1e-3


def test_unseen_categories_and_missing_numbers_are_answered(flights: pd.DataFrame) -> None:
    model = train(flights, FAST)
    unseen = flights.head(5).assign(**UNSEEN, **{NUMBER: None})
    assert np.isfinite(late_probability(model, unseen)).all()


def test_the_baselines_are_the_mean_and_one_feature(flights: pd.DataFrame) -> None:
    baselines, late = train_baselines(flights), is_late(flights) == 1
    mean = late_probability(baselines.pop("mean"), flights)
    np.testing.assert_allclose(mean, late.mean())
    (baseline,) = baselines.values()
    by_one = late_probability(baseline, flights)
    elsewhere = flights.assign(**UNSEEN, **OUT_OF_RANGE)
    np.testing.assert_array_equal(late_probability(baseline, elsewhere), by_one)
    assert by_one[late].mean() > by_one.mean() + 0.05

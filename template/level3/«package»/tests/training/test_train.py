"""Fitting, and noticing a fit that went astray."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ...config.params import read_params
from ...config.problem import BASELINE
from ...data.features import make_features
from ...errors import RefusedError
from ...training.model import label_of, «prediction»
from ...training.train import DivergedError, check_learned, train, train_baselines
from ..example import NUMBER, OUT_OF_RANGE, UNSEEN

FAST = {"max_iter": 20, "min_samples_leaf": 20, "random_state": 0}


class Stub:
    """A model that answers every instance the same."""

    def __init__(self, answer: float) -> None:
        self.answer = answer

    def predict_proba(self, instances: pd.DataFrame) -> np.ndarray[Any, Any]:
        return np.full((len(instances), 2), self.answer)


def test_a_few_instances_can_be_learned_by_heart(instances: pd.DataFrame) -> None:
    distinct = ~pd.DataFrame(make_features(instances)).duplicated()
    few = instances[distinct].head(60)
    model = train(few, {"max_iter": 300, "learning_rate": 0.5, "min_samples_leaf": 1, "random_state": 0})
    assert check_learned(model, few) < 0.001


«% if kind == "binary" %»
def test_more_iterations_learn_more(instances: pd.DataFrame) -> None:
    losses = [check_learned(train(instances, FAST | {"max_iter": n}), instances) for n in (1, 5, 25)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] - 0.1
«% endif %»


«% if kind == "binary" %»
def test_the_loss_is_the_one_of_the_answers(instances: pd.DataFrame) -> None:
    model = train(instances, FAST)
    label, answer = label_of(instances) == 1, «prediction»(model, instances)
    expected = -np.mean(np.log(np.where(label, answer, 1 - answer)))
    assert check_learned(model, instances) == pytest.approx(expected, abs=1e-12)
«% endif %»


def test_an_absurd_learning_rate_is_noticed(instances: pd.DataFrame) -> None:
    model = train(instances, read_params().model.model_dump() | {"max_iter": 10, "learning_rate": 1e6})
    with pytest.raises(DivergedError, match="lower the learning rate"):
        check_learned(model, instances)


«% if kind == "binary" %»
@pytest.mark.parametrize("answer", [np.nan, np.inf])
def test_an_answer_that_is_no_number_is_noticed(instances: pd.DataFrame, answer: float) -> None:
    with pytest.raises(DivergedError, match="not numbers"):
        check_learned(Stub(answer), instances)
«% endif %»


def test_a_model_that_knows_nothing_is_noticed(instances: pd.DataFrame) -> None:
    with pytest.raises(DivergedError):
        check_learned(train_baselines(instances)["mean"], instances)


def test_a_training_that_diverged_is_not_tried_again() -> None:
    assert issubclass(DivergedError, RefusedError)


def test_the_same_parameters_give_the_same_answers(instances: pd.DataFrame) -> None:
    params = read_params().model.model_dump() | {"max_iter": 30}
    once, again = («prediction»(train(instances, params), instances) for _ in range(2))
    np.testing.assert_allclose(once, again, rtol=0, atol=1e-12)


def test_another_seed_gives_other_answers(instances: pd.DataFrame) -> None:
    """Which is true only because a tree may look at a share of the features: nothing else is drawn at random."""
    params = read_params().model.model_dump() | {"max_iter": 10}
    one, other = («prediction»(train(instances, params | {"random_state": seed}), instances) for seed in (0, 1))
    assert np.abs(one - other).max() > 1e-3


def test_unseen_categories_and_missing_numbers_are_answered(instances: pd.DataFrame) -> None:
    model = train(instances, FAST)
    unseen = instances.head(5).assign(**UNSEEN, **{NUMBER: None})
    assert np.isfinite(«prediction»(model, unseen)).all()


def test_the_baselines_are_the_mean_and_one_feature(instances: pd.DataFrame) -> None:
«% if kind == "binary" %»
    baselines, label = train_baselines(instances), label_of(instances) == 1
«% else %»
    baselines, label = train_baselines(instances), label_of(instances)
«% endif %»
    mean = «prediction»(baselines.pop("mean"), instances)
    np.testing.assert_allclose(mean, label.mean())
    (baseline,) = baselines.values()
    by_one = «prediction»(baseline, instances)
    elsewhere = instances.assign(**UNSEEN, **({} if NUMBER == BASELINE else OUT_OF_RANGE))
    np.testing.assert_array_equal(«prediction»(baseline, elsewhere), by_one)
«% if kind == "binary" %»
    assert by_one[label].mean() > by_one.mean() + 0.05
«% else %»
    assert by_one[label > label.mean()].mean() > by_one.mean()
«% endif %»

"""Explanations: they add up to the prediction, and name the feature that matters."""

import numpy as np
import pandas as pd
import pytest

from ...audit.explain import explain_flights
from ...config.problem import LATE_MINUTES, OUTCOME
from ...training.model import late_probability
from ...training.train import train
from ..example import CATEGORY, NUMBER, UNSEEN


def test_the_contributions_add_up_to_the_logit(flights: pd.DataFrame) -> None:
    model = train(flights, {"max_iter": 60, "min_samples_leaf": 20, "random_state": 0})
    unusual = flights.head(50).assign(**UNSEEN, **{NUMBER: np.nan})
    asked = pd.concat([flights, unusual], ignore_index=True)
    explained = explain_flights(model, asked)
    probability = late_probability(model, asked)
    logit = np.log(probability / (1 - probability))
    np.testing.assert_allclose([explanation.logit for explanation in explained], logit, rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        [explanation.probability for explanation in explained], probability, rtol=0, atol=1e-9
    )
    assert np.ptp(logit) > 2


@pytest.mark.parametrize("cause", [NUMBER, CATEGORY])
def test_the_feature_that_matters_is_named(flights: pd.DataFrame, cause: str) -> None:
    values = flights[cause]
    late = values == values[0] if cause == CATEGORY else values > values.median()
    taught = flights.assign(**{OUTCOME: np.where(late, LATE_MINUTES, 0.0)})
    model = train(taught, {"max_iter": 20, "random_state": 0})
    for explained, is_late in zip(explain_flights(model, taught.head(200)), late, strict=False):
        largest = max(explained.contributions, key=lambda name: abs(explained.contributions[name]))
        assert largest == cause
        assert (explained.contributions[cause] > 0) == is_late

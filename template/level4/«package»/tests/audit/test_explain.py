"""Explanations: they add up to the prediction, and name the feature that matters."""

import numpy as np
import pandas as pd
import pytest

from ...audit.explain import explain_instances
from ...config.problem import «threshold», OUTCOME
from ...training.model import «prediction»
from ...training.train import train
from ..example import CATEGORY, NUMBER, UNSEEN


def test_the_contributions_add_up_to_the_logit(instances: pd.DataFrame) -> None:
    model = train(instances, {"max_iter": 60, "min_samples_leaf": 20, "random_state": 0})
    unusual = instances.head(50).assign(**UNSEEN, **{NUMBER: np.nan})
    asked = pd.concat([instances, unusual], ignore_index=True)
    explained = explain_instances(model, asked)
    probability = «prediction»(model, asked)
    logit = np.log(probability / (1 - probability))
    np.testing.assert_allclose([explanation.logit for explanation in explained], logit, rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        [explanation.probability for explanation in explained], probability, rtol=0, atol=1e-9
    )
    assert np.ptp(logit) > 2


@pytest.mark.parametrize("cause", [NUMBER, CATEGORY])
def test_the_feature_that_matters_is_named(instances: pd.DataFrame, cause: str) -> None:
    values = instances[cause]
    label = values == values[0] if cause == CATEGORY else values > values.median()
    taught = instances.assign(**{OUTCOME: np.where(label, «threshold», 0.0)})
    model = train(taught, {"max_iter": 20, "random_state": 0})
    for explained, label_of in zip(explain_instances(model, taught.head(200)), label, strict=False):
        largest = max(explained.contributions, key=lambda name: abs(explained.contributions[name]))
        assert largest == cause
        assert (explained.contributions[cause] > 0) == label_of

"""Fit the model and its baselines; a training that diverged is stopped."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
«% if kind == "binary" %»
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
«% else %»
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import mean_squared_error
«% endif %»
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder
«% if kind == "binary" %»
from sklearn.tree import DecisionTreeClassifier
«% else %»
from sklearn.tree import DecisionTreeRegressor
«% endif %»

from ..config.problem import BASELINE
from ..data.features import CATEGORICAL, make_features
from ..errors import RefusedError
from .model import label_of, «prediction»


class DivergedError(RefusedError):
    """The training diverged: its model is not registered."""


def train(table: pd.DataFrame, params: dict[str, Any]) -> Pipeline:
    """Fit the model: boosted trees, for which an unseen category is simply another one."""
    categories = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    encoder = make_column_transformer((categories, CATEGORICAL), remainder="passthrough")
«% if kind == "binary" %»
    model = make_pipeline(encoder, HistGradientBoostingClassifier(early_stopping=False, **params))
«% else %»
    model = make_pipeline(encoder, HistGradientBoostingRegressor(early_stopping=False, **params))
«% endif %»
    return model.fit(pd.DataFrame(make_features(table)), label_of(table))


def check_learned(model: Pipeline, table: pd.DataFrame) -> float:
    """Return the loss on the rows the model was trained on.

    Raises:
        DivergedError: a prediction is not a number, or the model fits its own rows worse than their mean does.
    """
    label, probability = label_of(table), «prediction»(model, table)
    if not np.isfinite(probability).all():
        raise DivergedError("the model predicts values that are not numbers: lower the learning rate")
«% if kind == "binary" %»
    loss = float(log_loss(label, probability, labels=[0, 1]))
«% else %»
    loss = float(mean_squared_error(label, probability))
«% endif %»
«% if kind == "binary" %»
    mean = float(log_loss(label, np.full(len(label), label.mean()), labels=[0, 1]))
«% else %»
    mean = float(mean_squared_error(label, np.full(len(label), label.mean())))
«% endif %»
    if loss >= mean:
        raise DivergedError(
            f"loss {loss:.3f} on the training rows, but {mean:.3f} for their mean: lower the learning rate"
        )
    return loss


def train_baselines(table: pd.DataFrame) -> dict[str, Pipeline]:
    """Fit the baselines that a candidate must beat: the mean, and a small tree that sees one feature."""
    features, label = pd.DataFrame(make_features(table)), label_of(table)
    one_feature = make_column_transformer(("passthrough", [BASELINE]))
    return {
«% if kind == "binary" %»
        "mean": make_pipeline(DummyClassifier()).fit(features, label),
«% else %»
        "mean": make_pipeline(DummyRegressor()).fit(features, label),
«% endif %»
«% if kind == "binary" %»
        BASELINE: make_pipeline(one_feature, DecisionTreeClassifier(max_leaf_nodes=8)).fit(features, label),
«% else %»
        BASELINE: make_pipeline(one_feature, DecisionTreeRegressor(max_leaf_nodes=8)).fit(features, label),
«% endif %»
    }

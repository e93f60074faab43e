"""Fit the model and its baselines; a training that diverged is stopped."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier

from ..config.problem import BASELINE
from ..data.features import CATEGORICAL, make_features
from ..errors import RefusedError
from .model import is_late, late_probability


class DivergedError(RefusedError):
    """The training diverged: its model is not registered."""


def train(table: pd.DataFrame, params: dict[str, Any]) -> Pipeline:
    """Fit the model: boosted trees, for which an unseen airport or airline is simply another category."""
    categories = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    encoder = make_column_transformer((categories, CATEGORICAL), remainder="passthrough")
    model = make_pipeline(encoder, HistGradientBoostingClassifier(early_stopping=False, **params))
    return model.fit(pd.DataFrame(make_features(table)), is_late(table))


def check_learned(model: Pipeline, table: pd.DataFrame) -> float:
    """Return the log loss on the rows the model was trained on.

    Raises:
        DivergedError: a prediction is not a number, or the model fits its own rows worse than their mean does.
    """
    late, probability = is_late(table), late_probability(model, table)
    if not np.isfinite(probability).all():
        raise DivergedError("the model predicts values that are not numbers: lower the learning rate")
    loss = float(log_loss(late, probability, labels=[0, 1]))
    mean = float(log_loss(late, np.full(len(late), late.mean()), labels=[0, 1]))
    if loss >= mean:
        raise DivergedError(
            f"log loss {loss:.3f} on the training rows, but {mean:.3f} for their mean: lower the learning rate"
        )
    return loss


def train_baselines(table: pd.DataFrame) -> dict[str, Pipeline]:
    """Fit the baselines that a candidate must beat: the mean, and a small tree that sees only the time of day."""
    features, late = pd.DataFrame(make_features(table)), is_late(table)
    time_of_day = make_column_transformer(("passthrough", [BASELINE]))
    return {
        "mean": make_pipeline(DummyClassifier()).fit(features, late),
        "time of day": make_pipeline(time_of_day, DecisionTreeClassifier(max_leaf_nodes=8)).fit(features, late),
    }

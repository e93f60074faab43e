"""The label and the prediction: what the model is to learn, and what it answers."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

«% if kind == "binary" %»
from ..config.problem import LABEL_FROM, OUTCOME
«% else %»
from ..config.problem import OUTCOME
«% endif %»
from ..data.features import make_features


def label_of(table: pd.DataFrame) -> pd.Series:
«% if kind == "binary" %»
    """Return the label: 1 where the outcome is positive, else 0."""
«% else %»
    """Return the label: the outcome itself."""
«% endif %»
«% if kind == "binary" %»
    return (table[OUTCOME] >= LABEL_FROM).astype(int)
«% else %»
    return table[OUTCOME].astype(float)
«% endif %»


def «prediction»(model: Pipeline, instances: Any) -> np.ndarray:
    """Return each instance's prediction."""
«% if kind == "binary" %»
    return model.predict_proba(pd.DataFrame(make_features(instances)))[:, 1]
«% else %»
    return model.predict(pd.DataFrame(make_features(instances)))
«% endif %»

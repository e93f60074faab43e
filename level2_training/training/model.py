"""The label and the prediction: what the model is to learn, and what it answers."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from ..config.problem import LATE_MINUTES, OUTCOME
from ..data.features import make_features


def is_late(table: pd.DataFrame) -> pd.Series:
    """Return the label: 1 where a flight arrived 15 minutes late or more, else 0."""
    return (table[OUTCOME] >= LATE_MINUTES).astype(int)


def late_probability(model: Pipeline, flights: Any) -> np.ndarray:
    """Return each flight's probability of arriving late."""
    return model.predict_proba(pd.DataFrame(make_features(flights)))[:, 1]

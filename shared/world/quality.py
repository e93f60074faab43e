"""How good predictions are."""

from typing import Any

import numpy as np
import pandas as pd

from .dataset import LATE_MINUTES


def log_losses(late: Any, probability: Any) -> np.ndarray:
    """Return the log loss of each prediction: 0 for a sure and right one; the lower the better."""
    clipped = np.clip(np.asarray(probability, dtype=float), 1e-15, 1 - 1e-15)
    return np.asarray(-np.log(np.where(np.asarray(late) == 1, clipped, 1 - clipped)))


def judge(outcomes: "pd.Series[float]", predictions: dict[str, float]) -> dict[str, float]:
    """Return log loss and AUC of predictions, by flight; flights that never arrived do not count."""
    from sklearn.metrics import roc_auc_score  # seconds of imports, and only the end needs it

    landed = outcomes.dropna()
    late = (landed >= LATE_MINUTES).to_numpy()
    probability = np.array([predictions[flight] for flight in landed.index])
    return {
        "log_loss": float(log_losses(late, probability).mean()),
        "auc": float(roc_auc_score(late, probability)),
    }

"""Evaluate a candidate on held-out days, beside the champion and the baselines."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score

from ..config.problem import SLICES, TIME
from ..errors import RefusedError
from .model import is_late
from .paired import Difference, paired_difference

MIN_FLIGHTS = 100  # in a slice: with less, its log loss says little
CONFIDENCE, MIN_GAIN = 0.95, 0.001  # of log loss


class NotBetterError(RefusedError):
    """The candidate is no better than a baseline, so it is not registered."""


def hold_out(table: pd.DataFrame, days: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split off the last `days` days, on which a model is judged that was trained on those before."""
    first = table[TIME].max().normalize() - pd.Timedelta(days=days - 1)
    recent = table[TIME] >= first
    return table[~recent], table[recent]


def quality(late: pd.Series, probability: np.ndarray) -> dict[str, float]:
    """Return log loss (lower is better) and AUC (higher is better)."""
    return {
        "log_loss": float(log_loss(late, probability, labels=[0, 1])),
        "auc": float(roc_auc_score(late, probability)),
    }


def log_losses(probability: np.ndarray, late: np.ndarray) -> np.ndarray:
    """Return the log loss of each prediction, given the label of each flight, 0 or 1."""
    clipped = np.clip(probability, 1e-15, 1 - 1e-15)
    return np.asarray(-np.log(np.where(late, clipped, 1 - clipped)))


def excess_log_loss(candidate: np.ndarray, champion: np.ndarray, recent: pd.DataFrame) -> Difference:
    """Return the log loss of the candidate's predictions minus that of the champion's, on the same flights."""
    late = is_late(recent).to_numpy()
    excess = log_losses(candidate, late) - log_losses(champion, late)
    return paired_difference(excess, recent[TIME].dt.date.to_numpy())


def slices(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the slices of the flights: by some of their columns, and by band of the day."""
    bands = [-1, 8, 12, 16, 20, 24]
    names = ["before 9", "9 to 12", "13 to 16", "17 to 20", "after 20"]
    hour = pd.cut(table[TIME].dt.hour, bands, labels=names)
    return {name: table[name] for name in SLICES} | {"hour": hour.astype(str)}


def compare(predictions: dict[str, np.ndarray], recent: pd.DataFrame) -> dict[str, Any]:
    """Return `{"overall": {model: quality}, "slices": {column: {slice: {model: log loss}}}}` on the same flights.

    Slices of fewer than 100 flights are left out.
    """
    late = is_late(recent)
    overall = {name: quality(late, predicted) for name, predicted in predictions.items()}
    by_slice: dict[str, dict[str, dict[str, float]]] = {}
    for column, values in slices(recent).items():
        by_slice[column] = {}
        for value, count in values.value_counts(sort=False).items():
            if count >= MIN_FLIGHTS:
                inside = (values == value).to_numpy()
                by_slice[column][str(value)] = {
                    name: float(log_loss(late[inside], predicted[inside], labels=[0, 1]))
                    for name, predicted in predictions.items()
                }
    return {"overall": overall, "slices": by_slice}


def check_beats(excess: dict[str, Difference], baselines: list[str]) -> None:
    """Refuse a candidate that surely gains next to nothing on a baseline; a sound one may lose by chance.

    Raises:
        NotBetterError: naming the baseline and by how much.
    """
    for name in baselines:
        if not excess[name].lower(CONFIDENCE) < -MIN_GAIN:  # so that NaN beats nothing
            raise NotBetterError(
                f"the candidate is not registered: its log loss is {excess[name]} above that of the baseline "
                f"{name!r}"
            )

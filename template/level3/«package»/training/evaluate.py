"""Evaluate a candidate on held-out days, beside the champion and the baselines."""

from typing import Any

import numpy as np
import pandas as pd
«% if kind == "binary" %»
from sklearn.metrics import log_loss, roc_auc_score
«% else %»
from sklearn.metrics import mean_squared_error, r2_score
«% endif %»

«% if kind == "binary" %»
from ..config.problem import SLICES, TIME
«% else %»
from ..config.problem import LABEL_SCALE, SLICES, TIME
«% endif %»
from ..errors import RefusedError
from .model import label_of
from .paired import Difference, paired_difference

MIN_INSTANCES = 100  # in a slice: with less, its loss says little
CONFIDENCE, MIN_GAIN = 0.95, 0.001  # of loss


class NotBetterError(RefusedError):
    """The candidate is no better than a baseline, so it is not registered."""


def hold_out(table: pd.DataFrame, days: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split off the last `days` days, on which a model is judged that was trained on those before."""
    first = table[TIME].max().normalize() - pd.Timedelta(days=days - 1)
    recent = table[TIME] >= first
    return table[~recent], table[recent]


def quality(label: pd.Series, probability: np.ndarray) -> dict[str, float]:
    """Return loss (lower is better) and AUC (higher is better)."""
    return {
«% if kind == "binary" %»
        "«loss»": float(log_loss(label, probability, labels=[0, 1])),
        "«second»": float(roc_auc_score(label, probability)) if label.nunique() == 2 else float("nan"),
«% else %»
        "«loss»": float(mean_squared_error(label, probability)) / LABEL_SCALE**2,
        "«second»": float(r2_score(label, probability)),
«% endif %»
    }


def losses_of(probability: np.ndarray, label: np.ndarray) -> np.ndarray:
«% if kind == "binary" %»
    """Return the loss of each prediction, given the label of each instance, 0 or 1."""
«% else %»
    """Return the loss of each prediction, given the outcome of each instance: 1 is one usual deviation, squared."""
«% endif %»
«% if kind == "binary" %»
    clipped = np.clip(probability, 1e-15, 1 - 1e-15)
    return np.asarray(-np.log(np.where(label, clipped, 1 - clipped)))
«% else %»
    return np.asarray(((probability - label) / LABEL_SCALE) ** 2)
«% endif %»


def excess_loss(candidate: np.ndarray, champion: np.ndarray, recent: pd.DataFrame) -> Difference:
    """Return the loss of the candidate's predictions minus that of the champion's, on the same instances."""
    label = label_of(recent).to_numpy()
    excess = losses_of(candidate, label) - losses_of(champion, label)
    return paired_difference(excess, recent[TIME].dt.date.to_numpy())


def slices(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the slices of the instances: by some of their columns, and by band of the day."""
    bands = [-1, 8, 12, 16, 20, 24]
    names = ["before 9", "9 to 12", "13 to 16", "17 to 20", "after 20"]
    hour = pd.cut(table[TIME].dt.hour, bands, labels=names)
    return {name: table[name] for name in SLICES} | {"hour": hour.astype(str)}


def compare(predictions: dict[str, np.ndarray], recent: pd.DataFrame) -> dict[str, Any]:
    """Return `{"overall": {model: quality}, "slices": {column: {slice: {model: loss}}}}` on the same instances.

    Slices of fewer than 100 instances are left out.
    """
    label = label_of(recent)
    overall = {name: quality(label, predicted) for name, predicted in predictions.items()}
    by_slice: dict[str, dict[str, dict[str, float]]] = {}
    for column, values in slices(recent).items():
        by_slice[column] = {}
        for value, count in values.value_counts(sort=False).items():
            if count >= MIN_INSTANCES:
                inside = (values == value).to_numpy()
                by_slice[column][str(value)] = {
«% if kind == "binary" %»
                    name: float(log_loss(label[inside], predicted[inside], labels=[0, 1]))
«% else %»
                    name: quality(label[inside], predicted[inside])["«loss»"]
«% endif %»
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
                f"the candidate is not registered: its loss is {excess[name]} above that of the baseline "
                f"{name!r}"
            )

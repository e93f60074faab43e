"""Calibrate every morning: learn from the outcomes that have landed how many flights are late these days.

That level changes from week to week, and most of what a retraining gains is to have learned it, a month late. One
number for each model learns it the next morning: the intercept of its logits, the most likely one given a prior
that is worth some flights and pulls it to 0. It is bounded, and off while labels do not look like real ones.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict

import numpy as np
import pandas as pd
from mlflow.entities.model_registry import ModelVersion
from scipy.optimize import brentq

from ..config import paths
from ..config.policy import Calibration as Limits
from ..config.policy import Policy
from ..config.problem import OUTCOME
from ..data.features import make_features
from ..data.labels import label_dispersion
from ..operations.readiness import wait_until_served
from ..registry import artifact, models
from ..serving.calibration import Calibration, calibrated, record
from ..serving.prediction_log import open_log
from ..training.model import is_late

FLIGHT_VARIANCE = 0.16  # of a label, about: p (1 - p) with a fifth late; a flight of the prior weighs so much


def calibrate(day: str, recent: pd.DataFrame, serving: Iterable[ModelVersion], policy: Policy) -> Calibration:
    """Fit an intercept for each model that predicts, record them, and publish them to the service.

    Args:
        day: today; it names the calibration.
        recent: the requests of the last days with their outcomes, as far as these have landed.
        serving: the versions that predict.
        policy: how many days count, and the limits.
    """
    landed = recent.dropna(subset=OUTCOME)
    if landed.empty:
        return _publish(Calibration(day), {"flights": 0}, policy)
    late = is_late(landed).to_numpy()
    dispersion = label_dispersion(landed, late)
    whole = landed["day"].nunique() >= policy.calibration.days  # a day or two may look like anything
    sane = not (whole and dispersion < policy.calibration.min_label_dispersion)
    intercepts = {}
    for version in serving:
        predicted = artifact.load(*models.package_of(version)).predict(make_features(landed))
        intercepts[models.served_as(version)] = fit(predicted, late, policy.calibration) if sane else 0.0
    facts = {"flights": len(landed), "label_dispersion": round(dispersion, 2)}
    return _publish(Calibration(day, intercepts), facts, policy)


def _publish(calibration: Calibration, facts: dict[str, float], policy: Policy) -> Calibration:
    with open_log(paths.PREDICTION_LOG) as log:
        record(log, calibration, facts | {"policy": policy.sha256})
    models.tag_model("calibration", json.dumps(asdict(calibration)))
    wait_until_served("calibration", calibration.id)
    return calibration


def fit(predicted: np.ndarray, late: np.ndarray, limits: Limits) -> float:
    """Return the intercept that is most likely, given the prior, within the bound.

    Args:
        predicted: the model's probability for each flight.
        late: the label of each, 0 or 1.
        limits: the bound, and the prior in flights.
    """
    weight = limits.prior_flights * FLIGHT_VARIANCE

    def slope(intercept: float) -> float:  # of the posterior's logarithm: it falls, so it has one root
        return float((late - calibrated(predicted, intercept)).sum() - weight * intercept)

    bound = limits.max_abs_intercept
    if slope(bound) >= 0:
        return bound
    return -bound if slope(-bound) <= 0 else round(brentq(slope, -bound, bound), 4)

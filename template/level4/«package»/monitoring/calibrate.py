"""Calibrate every morning: learn from the outcomes that have landed how they are these days.

That level changes from week to week, and most of what a retraining gains is to have learned it, a month label. One
number for each model learns it the next morning: the intercept of its logits, the most likely one given a prior
that is worth some instances and pulls it to 0. It is bounded.
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
from ..operations.readiness import wait_until_served
from ..registry import artifact, models
from ..serving.calibration import Calibration, calibrated, record
from ..serving.prediction_log import open_log
from ..training.model import label_of

«% if kind == "binary" %»
INSTANCE_VARIANCE = 0.16  # of a label, about: p (1 - p); an instance of the prior weighs so much
«% else %»
INSTANCE_VARIANCE = 1.0  # an instance of the prior weighs as much as any other
«% endif %»


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
        return _publish(Calibration(day), {"instances": 0}, policy)
    label = label_of(landed).to_numpy()
    intercepts = {}
    for version in serving:
        predicted = artifact.load(*models.package_of(version)).predict(make_features(landed))
        intercepts[models.served_as(version)] = fit(predicted, label, policy.calibration)
    facts: dict[str, float] = {"instances": len(landed)}
    return _publish(Calibration(day, intercepts), facts, policy)


def _publish(calibration: Calibration, facts: dict[str, float], policy: Policy) -> Calibration:
    with open_log(paths.PREDICTION_LOG) as log:
        record(log, calibration, facts | {"policy": policy.sha256})
    models.tag_model("calibration", json.dumps(asdict(calibration)))
    wait_until_served("calibration", calibration.id)
    return calibration


def fit(predicted: np.ndarray, label: np.ndarray, limits: Limits) -> float:
    """Return the intercept that is most likely, given the prior, within the bound.

    Args:
        predicted: the model's probability for each instance.
        label: the label of each, 0 or 1.
        limits: the bound, and the prior in instances.
    """
    weight = limits.prior_instances * INSTANCE_VARIANCE

    def slope(intercept: float) -> float:  # of the posterior's logarithm: it falls, so it has one root
        return float((label - calibrated(predicted, intercept)).sum() - weight * intercept)

    bound = limits.max_abs_intercept
    if slope(bound) >= 0:
        return bound
    return -bound if slope(-bound) <= 0 else round(brentq(slope, -bound, bound), 4)

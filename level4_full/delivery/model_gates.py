"""The model gates: is the candidate good enough? Each gate is a function whose finding anyone can read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from ..config.policy import Promotion
from ..registry.artifact import Artifact
from ..training.evaluate import log_losses
from ..training.model import is_late, late_probability
from .acceptance import Report

MIN_FLIGHTS = 300  # in a slice


@dataclass(frozen=True)
class Evidence:
    """What the gates look at."""

    candidate: Pipeline
    champion: Pipeline | None
    baselines: dict[str, Pipeline]
    artifact: Artifact
    measured: dict[str, Any]  # the benchmark of the package and of the champion's
    tests: Report  # the acceptance tests, run against the staged package
    past: pd.DataFrame  # the days the candidate was trained on
    recent: pd.DataFrame  # the held-out days: neither model was trained on them
    slices: dict[str, pd.Series]
    policy: Promotion


Finding = tuple[bool, str]


def beats_baselines(evidence: Evidence) -> Finding:
    """The candidate is better than the mean, and than the time of day alone."""
    candidate = losses(evidence.candidate, evidence.recent).mean()
    baselines = {name: losses(model, evidence.recent).mean() for name, model in evidence.baselines.items()}
    best = min(baselines, key=lambda name: baselines[name])
    return bool(
        candidate < baselines[best]
    ), f"log loss {candidate:.4f}, best baseline {best!r} {baselines[best]:.4f}"


def not_worse_than_champion(evidence: Evidence) -> Finding:
    """The candidate is not worse than the champion over all flights."""
    if evidence.champion is None:
        return True, "there is no champion yet"
    candidate, champion = (losses(model, evidence.recent) for model in (evidence.candidate, evidence.champion))
    worse = significantly_worse(candidate - champion, evidence.policy.max_excess_log_loss)
    return not worse, f"log loss {candidate.mean():.4f}, champion {champion.mean():.4f}"


def not_worse_in_any_slice(evidence: Evidence) -> Finding:
    """The candidate is not worse than the champion at any origin, carrier, or time of day."""
    if evidence.champion is None:
        return True, "there is no champion yet"
    excess = losses(evidence.candidate, evidence.recent) - losses(evidence.champion, evidence.recent)
    worse = {}
    for column, values in evidence.slices.items():
        for value in values.unique():
            inside = excess[(values == value).to_numpy()]
            if len(inside) >= MIN_FLIGHTS and significantly_worse(
                inside, evidence.policy.max_excess_log_loss_in_slice
            ):
                worse[f"{column} {value}"] = inside.mean()
    worst_first = [f"{name} {worse[name]:+.4f}" for name in sorted(worse, key=lambda name: -worse[name])]
    return not worse, f"log loss against the champion: {', '.join(worst_first)}" if worse else "worse in no slice"


def calibrated(evidence: Evidence) -> Finding:
    """The mean prediction is about the share of late flights, or hardly further off than that of the champion."""
    share = is_late(evidence.recent).mean()
    candidate = abs(late_probability(evidence.candidate, evidence.recent).mean() - share)
    if evidence.champion is None:
        return bool(candidate <= 3 * evidence.policy.max_calibration_gap), f"off by {candidate:.3f} of all flights"
    champion = abs(late_probability(evidence.champion, evidence.recent).mean() - share)
    return bool(
        candidate <= champion + evidence.policy.max_calibration_gap
    ), f"off by {candidate:.3f} of all flights, champion {champion:.3f}"


def significantly_worse(excess: np.ndarray, tolerance: float) -> bool:
    """Tell whether the mean excess loss over the champion is above the tolerance and above 3 standard errors.

    The standard errors count flights as if they were independent. The flights of a day share its weather, so a
    good candidate may be refused by chance in a stormy week; but with the standard errors of 7 days, a model
    trained with 30 % flipped labels passed such a week.
    """
    return bool(excess.mean() > max(tolerance, 3 * excess.std() / np.sqrt(len(excess))))


def losses(model: Pipeline, table: pd.DataFrame) -> np.ndarray:
    """Return the log loss of each flight."""
    return log_losses(late_probability(model, table), is_late(table).to_numpy() == 1)

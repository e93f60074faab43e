"""The gates that judge the model: functions with names, and findings anyone can read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from ..registry.artifact import Artefact
from ..training.model import is_late, late_probability
from .acceptance import Report
from .experiment import loss

WORSE_OVERALL = 0.002  # log loss: less than this is noise between two seeds
WORSE_IN_SLICE = 0.02  # log loss
FEWEST_FLIGHTS = 300  # in a slice
MISCALIBRATED = 0.05  # share of flights, beyond what the champion is off by


@dataclass(frozen=True)
class Evidence:
    """What the gates look at."""

    candidate: Pipeline
    champion: Pipeline | None
    baselines: dict[str, Pipeline]
    artefact: Artefact
    measured: dict[str, Any]  # of the package, and of the champion's beside it
    tests: Report  # of this level, run against the staged package
    past: pd.DataFrame  # days the candidate was trained on
    recent: pd.DataFrame  # days that neither model was trained on
    slices: dict[str, pd.Series]


Finding = tuple[bool, str]


def beats_baselines(evidence: Evidence) -> Finding:
    """Better than the mean, and than the time of day alone."""
    mine = losses(evidence.candidate, evidence.recent).mean()
    theirs = {name: losses(model, evidence.recent).mean() for name, model in evidence.baselines.items()}
    best = min(theirs, key=lambda name: theirs[name])
    return bool(mine < theirs[best]), f"log loss {mine:.4f}, best baseline {best!r} {theirs[best]:.4f}"


def not_worse_than_champion(evidence: Evidence) -> Finding:
    """Not worse than what serves, over all flights."""
    if evidence.champion is None:
        return True, "nothing serves yet"
    mine, theirs = (losses(model, evidence.recent) for model in (evidence.candidate, evidence.champion))
    worse = surely_worse(mine - theirs, WORSE_OVERALL)
    return not worse, f"log loss {mine.mean():.4f}, champion {theirs.mean():.4f}"


def not_worse_in_any_slice(evidence: Evidence) -> Finding:
    """Not worse than what serves at any origin, carrier, or time of day."""
    if evidence.champion is None:
        return True, "nothing serves yet"
    extra = losses(evidence.candidate, evidence.recent) - losses(evidence.champion, evidence.recent)
    worse = {}
    for cut, values in evidence.slices.items():
        for value in values.unique():
            here = extra[(values == value).to_numpy()]
            if len(here) >= FEWEST_FLIGHTS and surely_worse(here, WORSE_IN_SLICE):
                worse[f"{cut} {value}"] = here.mean()
    named = [f"{name} {worse[name]:+.4f}" for name in sorted(worse, key=lambda name: -worse[name])]
    return not worse, f"log loss against the champion: {', '.join(named)}" if worse else "worse in none"


def calibrated(evidence: Evidence) -> Finding:
    """Says late about as often as flights are late, or is at least hardly further off than what serves."""
    share = is_late(evidence.recent).mean()
    mine = abs(late_probability(evidence.candidate, evidence.recent).mean() - share)
    if evidence.champion is None:
        return bool(mine <= 3 * MISCALIBRATED), f"off by {mine:.3f} of all flights"
    theirs = abs(late_probability(evidence.champion, evidence.recent).mean() - share)
    return bool(mine <= theirs + MISCALIBRATED), f"off by {mine:.3f} of all flights, champion {theirs:.3f}"


def surely_worse(extra: np.ndarray, tolerated: float) -> bool:
    """Tell whether losses beyond the champion's are above what is tolerated, and above 3 standard errors.

    The errors are those of flights, as if each were late by itself. The flights of a day share its weather, so a
    good candidate may lose a stormy week by chance and be refused; but with the errors of 7 days, a model that had
    three labels in ten turned around passed such a week.
    """
    return bool(extra.mean() > max(tolerated, 3 * extra.std() / np.sqrt(len(extra))))


def losses(model: Pipeline, table: pd.DataFrame) -> np.ndarray:
    """Return the log loss of each flight."""
    return loss(late_probability(model, table), is_late(table).to_numpy() == 1)

"""Why the model answered as it did: what each feature added to one answer."""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from ..config import paths
from ..data.features import make_features
from ..errors import StageError
from ..registry import models
from ..serving.prediction_log import last_answer

LARGEST_DIFFERENCE = 1e-6  # in probability, between what was answered and what is explained


class NotExplainedError(StageError):
    """There is no such answer, or its model does not give it again."""


@dataclass(frozen=True)
class Explanation:
    """What is added up to the logit of an answer: the base value, and each feature's contribution."""

    base: float  # the logit the model expects of a flight it was trained on
    contributions: dict[str, float]

    @property
    def logit(self) -> float:
        """Return the sum."""
        return self.base + sum(self.contributions.values())

    @property
    def probability(self) -> float:
        """Return the sum as a probability."""
        return float(1 / (1 + np.exp(-self.logit)))


def explain_flights(model: Pipeline, flights: pd.DataFrame) -> list[Explanation]:
    """Explain each flight's answer with SHAP values, which are exact for trees.

    Source: Lundberg et al., "From local explanations to global understanding with explainable AI for trees",
    Nature Machine Intelligence 2, 2020.
    """
    from shap import TreeExplainer  # takes seconds, and only a question needs it

    features = pd.DataFrame(make_features(flights))
    encoder, trees = model[:-1], model[-1]
    names = [name.rpartition("__")[2] for name in encoder.get_feature_names_out()]
    explained = TreeExplainer(trees)(encoder.transform(features))
    return [
        Explanation(float(base), dict(zip(names, map(float, values), strict=True)))
        for base, values in zip(explained.base_values, explained.values, strict=True)
    ]


def explain(flight_id: str) -> list[str]:
    """Return the last answer for a flight, line by line, from the feature that weighed most to the least.

    Raises:
        NotExplainedError: nobody asked about it, or its model would answer otherwise today.
    """
    answer = last_answer(paths.PREDICTION_LOG, flight_id)
    if answer is None:
        raise NotExplainedError(f"nobody asked about {flight_id}: ids look like 2013-07-01-B6939-JFK")
    version = models.version(models.number_of(answer["model"]))
    asked = pd.DataFrame([json.loads(answer["inputs"])])
    (explained,) = explain_flights(models.load(version.source), asked)
    if abs(explained.probability - answer["late_probability"]) > LARGEST_DIFFERENCE:
        raise NotExplainedError(
            f"{answer['model']} answered {answer['late_probability']:.6f}, but version {version.version} "
            f"gives {explained.probability:.6f}: follow the answer back with `trace`"
        )
    given = {name: column[0] for name, column in make_features(asked).items()}
    lines = [f"{explained.base:+8.4f}  base value: expected of a flight it was trained on"]
    for name, added in sorted(explained.contributions.items(), key=lambda each: -abs(each[1])):
        lines.append(f"{added:+8.4f}  {name} = {given[name]}")
    sums = (
        f"{explained.logit:+8.4f}  in all: the logit of {explained.probability:.4f}, answered by {answer['model']}"
    )
    return [*lines, sums]

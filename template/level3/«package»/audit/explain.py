"""Explain a prediction: what each feature contributed to it."""

import json
from dataclasses import dataclass

«% if kind == "binary" %»
import numpy as np
«% else %»
«% endif %»
import pandas as pd
from sklearn.pipeline import Pipeline

from ..config import paths
«% if kind == "binary" %»
from ..config.problem import EXAMPLE
«% else %»
from ..config.problem import EXAMPLE, LABEL_SCALE
«% endif %»
from ..data.features import make_features
from ..errors import StageError
from ..registry import models
from ..serving.prediction_log import last_prediction

«% if kind == "binary" %»
MAX_DIFFERENCE = 1e-6  # in probability, between what was predicted and what is explained
«% else %»
MAX_DIFFERENCE = 1e-4 * LABEL_SCALE  # between what was predicted and what is explained
«% endif %»


class NotExplainedError(StageError):
    """There is no such prediction, or its model does not give it again."""


@dataclass(frozen=True)
class Explanation:
    """What adds up to the logit of a prediction: the base value, and each feature's contribution."""

    base: float  # the mean logit over the instances the model was trained on
    contributions: dict[str, float]

    @property
    def logit(self) -> float:
        """Return the sum."""
        return self.base + sum(self.contributions.values())

    @property
    def probability(self) -> float:
        """Return the sum as a probability."""
«% if kind == "binary" %»
        return float(1 / (1 + np.exp(-self.logit)))
«% else %»
        return float(self.logit)
«% endif %»


def explain_instances(model: Pipeline, instances: pd.DataFrame) -> list[Explanation]:
    """Explain the prediction for each instance with SHAP values, which are exact for trees.

    Source: Lundberg et al., "From local explanations to global understanding with explainable AI for trees",
    Nature Machine Intelligence 2, 2020.
    """
    from shap import TreeExplainer  # takes seconds, and only a question needs it

    features = pd.DataFrame(make_features(instances))
    encoder, trees = model[:-1], model[-1]
    names = [name.rpartition("__")[2] for name in encoder.get_feature_names_out()]
    shap_values = TreeExplainer(trees)(encoder.transform(features))
    return [
        Explanation(float(base), dict(zip(names, map(float, values), strict=True)))
        for base, values in zip(shap_values.base_values, shap_values.values, strict=True)
    ]


def explain(instance_id: str) -> list[str]:
    """Return the last prediction for an instance, line by line, from the largest contribution to the smallest.

    Raises:
        NotExplainedError: there is none, or its model would predict something else today.
    """
    logged = last_prediction(paths.PREDICTION_LOG, instance_id)
    if logged is None:
        raise NotExplainedError(f"there is no prediction for {instance_id}: ids look like {EXAMPLE}")
    version = models.version(models.number_of(logged["model"]))
    instance = pd.DataFrame([json.loads(logged["inputs"])])
    (explanation,) = explain_instances(models.load(version.source), instance)
    if abs(explanation.probability - logged["«prediction»"]) > MAX_DIFFERENCE:
        raise NotExplainedError(
            f"{logged['model']} predicted {logged['«prediction»']:.6f}, but version {version.version} "
            f"gives {explanation.probability:.6f}: follow the prediction back with `trace`"
        )
    features = {name: column[0] for name, column in make_features(instance).items()}
    lines = [f"{explanation.base:+8.4f}  base value: the mean over the instances it was trained on"]
    largest_first = sorted(explanation.contributions.items(), key=lambda item: -abs(item[1]))
    lines += [f"{contribution:+8.4f}  {name} = {features[name]}" for name, contribution in largest_first]
    return [
        *lines,
        f"{explanation.logit:+8.4f}  sum: the logit of {explanation.probability:.4f}, {logged['model']}",
    ]

"""What each feature is worth on the held-out days, and what it costs when a request comes."""

from dataclasses import asdict
from timeit import repeat
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from ..data.features import make_features
from ..data.rules import ENOUGH, sample, sources
from .evaluate import CONFIDENCE, excess_loss

MANY = 10_000  # rows, on which it takes a second


def worth_of(model: Pipeline, recent: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return by feature: the loss it saves, whether it is useless, and the time it takes to make.

    It saves what the model loses when the feature is shuffled among the instances. A feature is useless if these
    days do not show surely that it saves anything; of two features that say the same, both may look so.
    """
    recent = sample(recent, MANY)
    features, random, made_from = make_features(recent), np.random.default_rng(0), sources(recent)
    usual, report = _predict(model, features), {}
    for name, column in features.items():
        saved = excess_loss(_predict(model, features | {name: random.permutation(column)}), usual, recent)
        milliseconds = _milliseconds(recent.head(ENOUGH), made_from[name], made_from)
        useless = not saved.lower(CONFIDENCE) > 0
        report[name] = asdict(saved) | {"useless": useless, "milliseconds_per_1000": milliseconds}
    return report


def _predict(model: Pipeline, features: dict[str, np.ndarray]) -> np.ndarray:
«% if kind == "binary" %»
    return model.predict_proba(pd.DataFrame(features))[:, 1]
«% else %»
    return model.predict(pd.DataFrame(features))
«% endif %»


def _milliseconds(rows: pd.DataFrame, columns: set[str], made_from: dict[str, set[str]]) -> float:
    """Return the time that many rows of some columns take, as a request has them, beside one row of the others."""
    together = columns.union(*(others for others in made_from.values() if others & columns))  # of equal length
    if together != columns:
        return _milliseconds(rows, together, made_from)
    given = {str(name): rows[name].tolist() for name in rows}
    one = {name: values[:1] for name, values in given.items()}
    many = one | {name: given[name] for name in columns}
    least, most = (min(repeat(lambda: make_features(instances), number=1)) for instances in (one, many))  # noqa: B023
    return round(max(0.0, most - least) * 1e6 / len(rows), 4)

"""Observe production: gather the facts for a decision from metrics, decisions and the registry."""

import pyarrow.parquet as pq
from mlflow.entities.model_registry import ModelVersion

from ..config import paths
from ..config.problem import OUTCOMES
from ..delivery import promotion
from ..registry import models
from . import decisions, store
from .dates import before, days_between
from .decide import Observation
from .guards import is_training
from .reference import reference


def observe(champion: ModelVersion, day: str) -> Observation:
    """Gather what a decision is made from.

    Args:
        champion: the version that serves.
        day: today.
    """
    name, yesterday = models.served_as(champion), before(day, 1)
    with store.open_store(paths.METRICS_STORE) as connection:
        past = decisions.read(connection)
        training = reference(champion)
        window = store.read(connection, name, training.last_day, day)
        skew = store.by_slice(connection, name, yesterday, "skew").get(store.ALL, 0.0)
    trainings = [decision.day for decision in past if is_training(decision)]
    last_training = trainings[-1] if trainings else before(training.last_day, -1)
    outcomes = [day_ for day_ in collected_outcomes() if training.last_day <= day_ <= yesterday]
    landed = [day_ for day_ in outcomes if count_outcomes(day_)]  # an empty file says nothing
    return Observation(
        day=day,
        window=window,
        skew=skew,
        silent_days=days_between(landed[-1] if landed else training.last_day, yesterday),
        new_flights=sum(map(count_outcomes, (day_ for day_ in landed if day_ >= last_training))),
        age_days=days_between(training.last_day, yesterday),
        in_ab_test=models.version_of(promotion.CHALLENGER) is not None,
        decisions=past,
    )


def collected_outcomes() -> list[str]:
    """Return the days whose outcomes have been collected, whatever is in the files."""
    return sorted(path.stem for path in (paths.DATA / OUTCOMES).glob("*.parquet"))


def count_outcomes(day: str) -> int:
    """Return how many outcomes have landed about a day."""
    rows: int = pq.read_metadata(paths.DATA / OUTCOMES / f"{day}.parquet").num_rows
    return rows

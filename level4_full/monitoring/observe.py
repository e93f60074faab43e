"""Observe production: gather the facts for a decision from metrics, decisions and the registry."""

import sqlite3

import pyarrow.parquet as pq
from mlflow.entities.model_registry import ModelVersion

from ..config import paths
from ..delivery import promotion
from ..registry import models
from . import guards, store
from .dates import before, days_between
from .decide import Observation
from .measure import FEED, training_reference
from .reference import Reference
from .store import Action, Record


def observe(champion: ModelVersion, day: str) -> Observation:
    """Gather what a decision is made from.

    Args:
        champion: the version that serves.
        day: today.
    """
    name, yesterday = models.served_as(champion), before(day, 1)
    with store.open_store(paths.METRICS_STORE) as connection:
        decisions = store.decisions(connection)
        training = training_reference(champion, connection)
        window = store.read(connection, name, training.last_day, yesterday)
        jumps = store.by_slice(connection, FEED, yesterday, "day_over_day_jump")
        distances = distances_from_baseline(connection, decisions, yesterday, training)
        skew = store.by_slice(connection, name, yesterday, "skew").get(store.ALL, 0.0)
    trainings = [decision.day for decision in decisions if decision.action is Action.RETRAIN]
    last_training = trainings[-1] if trainings else before(training.last_day, -1)
    outcomes = sorted(path.stem for path in (paths.DATA / "outcomes").glob("*.parquet"))
    return Observation(
        day=day,
        window=window,
        day_over_day_jumps=jumps,
        distances_from_baseline=distances,
        skew=skew,
        silent_days=days_between(outcomes[-1], yesterday),
        new_flights=sum(map(count_outcomes, (day_ for day_ in outcomes if day_ >= last_training))),
        age_days=days_between(training.last_day, yesterday),
        in_ab_test=models.version_of(promotion.CHALLENGER) is not None,
        decisions=decisions,
    )


def count_outcomes(day: str) -> int:
    """Return how many outcomes have landed about a day."""
    rows: int = pq.read_metadata(paths.DATA / "outcomes" / f"{day}.parquet").num_rows
    return rows


def distances_from_baseline(
    connection: sqlite3.Connection, decisions: list[Record], yesterday: str, training: Reference
) -> dict[str, float]:
    """Return how far each statistic of the feed is from the day before the open hold, if there is a hold."""
    if not (holds := guards.open_holds(decisions)):
        return {}
    baseline = store.by_slice(connection, FEED, before(holds[0].day, 2), "level")
    now = store.by_slice(connection, FEED, yesterday, "level")
    return {
        name: abs(now[name] - baseline[name]) / float(training.largest_jumps[name])
        for name in now
        if name in baseline
    }

"""Observe production: join predictions with outcomes, measure each day, and gather the facts for a decision."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from mlflow.entities.model_registry import ModelVersion

from ..config import paths
from ..config.policy import Policy
from ..data.features import make_features
from ..data.schema import Flight
from ..delivery import promotion
from ..delivery.experiment import loss
from ..registry import artifact, history, models
from ..serving.routing import CHALLENGER, CHAMPION
from ..training.model import is_late
from . import guards, metrics, store
from .dates import before, days_between
from .decide import Observation
from .reference import Reference, reference
from .store import Action, Record

FEED = "feed"  # the model under whose name metrics of the feed are kept
DAYS_BACK = 7  # measured again every day, since outcomes come late or are corrected


def predictions_with_outcomes(first: str, last: str) -> pd.DataFrame:
    """Return the predictions for the flights of these days, with `day` and the outcome (NaN: not landed yet)."""
    predictions = metrics.predictions(paths.PREDICTION_LOG, first, last)
    if predictions.empty:
        return pd.DataFrame(columns=["day", "model", "arrival_delay"])
    predictions["day"] = predictions["scheduled_departure"].dt.strftime("%Y-%m-%d")
    outcomes = metrics.outcomes(paths.DATA, sorted(predictions["day"].unique()))
    return predictions.merge(outcomes, on="flight_id", how="left")


def measure(champion: ModelVersion, recent: pd.DataFrame, yesterday: str) -> str:
    """Measure the quality of the last days for every model that served, and yesterday's service, feed and inputs.

    Returns:
        Why the feed could not be measured, if so; the rest is measured all the same.
    """
    name, file = name_of(champion), paths.DATA / "flights" / f"{yesterday}.parquet"
    flights = recent[recent["day"] == yesterday]
    with store.open_store(paths.METRICS_STORE) as connection:
        for day, landed in recent.dropna(subset="arrival_delay").groupby("day"):
            for model, of_model, probability in predictions_by_model(landed):
                store.write(connection, str(day), model, metrics.quality_metrics(of_model, probability))
        training = training_reference(champion, connection)
        unmeasured = measure_feed(connection, name, training, flights, file) if file.exists() else ""
        if not flights.empty:
            age = {("age_days", store.ALL): float(days_between(training.last_day, yesterday))}
            measured = metrics.input_metrics(flights, training) | age | metrics.service_metrics()
            store.write(connection, yesterday, name, measured)
    return unmeasured


def measure_feed(
    connection: sqlite3.Connection, name: str, training: Reference, flights: pd.DataFrame, file: Path
) -> str:
    """Measure a day's published flights, and whether predictions were made from them; say why not, if so."""
    level = store.by_slice(connection, FEED, before(file.stem, 1), "level")
    try:
        published = pd.read_parquet(file).reindex(columns=list(Flight.model_fields))
        store.write(connection, file.stem, FEED, metrics.feed_metrics(published, training, level))
        if not flights.empty:
            skew = metrics.skew_metrics(flights, published, artifacts(flights))
            store.write(connection, file.stem, name, skew)
    except Exception as error:  # the file may hold anything
        return f"{type(error).__name__}, {error}"
    return ""


def training_reference(champion: ModelVersion, connection: sqlite3.Connection) -> Reference:
    """Return the reference of the champion, without the days on which the feed broke or recovered."""
    return reference(champion, guards.excluded_days(store.decisions(connection)))


def report(champion: ModelVersion, recent: pd.DataFrame, yesterday: str) -> None:
    """Add yesterday to the reports for people, if its outcomes have landed."""
    from .reports import add_report  # seconds of imports, and only this process needs them

    landed = recent[recent["day"] == yesterday].dropna(subset="arrival_delay")
    if landed.empty:
        return
    with store.open_store(paths.METRICS_STORE) as connection:
        sample = training_reference(champion, connection).sample
    flights = landed.assign(late_probability=landed["champion_probability"])
    add_report(paths.REPORTS, yesterday, name_of(champion), flights, sample)


def observe(champion: ModelVersion, recent: pd.DataFrame, day: str, policy: Policy) -> Observation:
    """Gather what a decision is made from.

    Args:
        champion: the version that serves.
        recent: the predictions and outcomes of the last days.
        day: today.
        policy: how many days its thresholds look back.
    """
    name, yesterday = name_of(champion), before(day, 1)
    with store.open_store(paths.METRICS_STORE) as connection:
        decisions = store.decisions(connection)
        window = store.read(connection, name, before(day, policy.days_back), yesterday)
        jumps = store.by_slice(connection, FEED, yesterday, "day_over_day_jump")
        training = training_reference(champion, connection)
        distances = distances_from_baseline(connection, decisions, yesterday, training)
        skew = store.by_slice(connection, name, yesterday, "skew").get(store.ALL, 0.0)
    trainings = [decision.day for decision in decisions if decision.action is Action.RETRAIN]
    last_training = trainings[-1] if trainings else before(training.last_day, -1)
    outcomes = sorted(path.stem for path in (paths.DATA / "outcomes").glob("*.parquet"))
    first_day = before(day, policy.rollback.days)
    excess_log_loss, flight_numbers = excess_over_previous(recent, name, first_day)
    return Observation(
        day=day,
        window=window,
        day_over_day_jumps=jumps,
        distances_from_baseline=distances,
        skew=skew,
        silent_days=days_between(outcomes[-1], yesterday),
        excess_log_loss=excess_log_loss,
        flight_numbers=flight_numbers,
        new_flights=sum(map(count_outcomes, (day_ for day_ in outcomes if day_ >= last_training))),
        age_days=days_between(last_training, day),
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


def predictions_by_model(flights: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, "pd.Series[float]"]]:
    """Yield each model that served on a day with its flights and probabilities: all flights for the champion."""
    champions = flights.loc[flights["arm"] == CHAMPION, "model"].mode()
    if not champions.empty:  # on a day of few predictions the challenger may have made them all
        yield str(champions.iloc[0]), flights, flights["champion_probability"]
    for model, of_model in flights[flights["arm"] == CHALLENGER].groupby("model"):
        yield str(model), of_model, of_model["late_probability"]


def excess_over_previous(recent: pd.DataFrame, name: str, first: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the excess log loss of the champion over the previous one, by flight, and each flight's number."""
    previous = history.champion_before(history.read(), models.version_of(models.CHAMPION))
    flights = recent[recent["day"] >= first].dropna(subset="arrival_delay")
    flights = flights[flights["model"] == name]
    if not previous or flights.empty:
        return np.array([]), np.array([], dtype=int)
    digest = models.version(previous).tags["digest"]
    of_previous = artifact.load(paths.FETCHED / digest, digest).predict(make_features(flights))
    late = is_late(flights).to_numpy() == 1
    # Not `champion_probability`: while the model was a challenger, that is the previous champion's.
    excess = loss(flights["late_probability"].to_numpy(), late) - loss(of_previous, late)
    return excess, pd.factorize(flights["carrier"] + flights["flight"].astype(str))[0]


def artifacts(predictions: pd.DataFrame) -> dict[str, artifact.Artifact]:
    """Return the packages of the models that made these predictions, by the name in the prediction."""
    folders = {path.name[:12]: path for path in paths.FETCHED.iterdir()}
    return {
        name: artifact.load(folder, folder.name)
        for name in predictions["model"].unique()
        if (folder := folders.get(name.partition("@")[2]))
    }


def name_of(version: ModelVersion) -> str:
    """Return the name that the predictions of a version carry."""
    return f"{models.MODEL}/{version.version}@{version.tags['digest'][:12]}"

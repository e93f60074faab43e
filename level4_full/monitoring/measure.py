"""Measure production: join predictions with outcomes, and write the metrics and the report of a day."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from mlflow.entities.model_registry import ModelVersion

from ..config import paths
from ..data.features import make_features
from ..data.schema import Flight
from ..registry import artifact, models
from ..serving.routing import CHALLENGER, CHAMPION
from ..training.model import is_late
from . import guards, metrics, store
from .dates import before, days_between
from .reference import Reference, reference

FEED = "feed"  # the model under whose name metrics of the feed are kept
DAYS_BACK = 7  # measured again every day, since outcomes come late or are corrected


def predictions_with_outcomes(champion: ModelVersion, first: str, last: str) -> pd.DataFrame:
    """Return the predictions for the flights of these days, with `day` and the outcome (NaN: not landed yet).

    `raw_probability` is what the champion of today says about each of them, without calibration.
    """
    predictions = metrics.predictions(paths.PREDICTION_LOG, first, last)
    if predictions.empty:
        return pd.DataFrame(columns=["day", "model", "origin", "scheduled_departure", "arrival_delay"])
    digest = champion.tags["digest"]
    raw = artifact.load(paths.FETCHED / digest, digest).predict(make_features(predictions))
    predictions = predictions.assign(raw_probability=raw)
    outcomes = metrics.outcomes(paths.DATA, sorted(predictions["day"].unique()))
    return predictions.merge(outcomes, on="flight_id", how="left")


def measure(champion: ModelVersion, recent: pd.DataFrame, yesterday: str) -> str:
    """Measure the quality of the last days for every model that served, and yesterday's service, feed and inputs.

    Returns:
        Why the feed could not be measured, if so; the rest is measured all the same.
    """
    name, file = models.served_as(champion), paths.DATA / "flights" / f"{yesterday}.parquet"
    flights = recent[recent["day"] == yesterday]
    with store.open_store(paths.METRICS_STORE) as connection:
        for day, landed in recent.dropna(subset="arrival_delay").groupby("day"):
            for model, of_model, probability in predictions_by_model(landed):
                store.write(connection, str(day), model, metrics.quality_metrics(of_model, probability))
            raw_bias = float((landed["raw_probability"] - is_late(landed)).mean())
            store.write(connection, str(day), name, {("raw_bias", store.ALL): raw_bias})
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
    add_report(paths.REPORTS, yesterday, models.served_as(champion), flights, sample)


def predictions_by_model(flights: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, "pd.Series[float]"]]:
    """Yield each model that served on a day with its flights and probabilities: all flights for the champion."""
    champions = flights.loc[flights["arm"] == CHAMPION, "model"].mode()
    if not champions.empty:  # on a day of few predictions the challenger may have made them all
        yield str(champions.iloc[0]), flights, flights["champion_probability"]
    for model, of_model in flights[flights["arm"] == CHALLENGER].groupby("model"):
        yield str(model), of_model, of_model["late_probability"]


def artifacts(predictions: pd.DataFrame) -> dict[str, artifact.Artifact]:
    """Return the packages of the models that made these predictions, by the name in the prediction."""
    folders = {path.name[:12]: path for path in paths.FETCHED.iterdir()}
    return {
        name: artifact.load(folder, folder.name)
        for name in predictions["model"].unique()
        if (folder := folders.get(name.partition("@")[2]))
    }

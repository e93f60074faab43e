"""Measure production: join predictions with outcomes, and write the metrics and the report of a day."""

from collections.abc import Iterator

import pandas as pd
from mlflow.entities.model_registry import ModelVersion

from ..config import paths
from ..config.problem import ID, OUTCOME, ROWS, SLICES, TIME
from ..data import corrections
from ..data.corrections import Correction, put_right
from ..data.features import make_features
from ..registry import artifact, models
from ..serving.routing import CHALLENGER, CHAMPION
from ..training.model import label_of
from . import metrics, store
from .dates import before, days_between
from .reference import reference

DAYS_BACK = 7  # measured again every day, since outcomes are delayed or are corrected


def predictions_with_outcomes(champion: ModelVersion, first: str, last: str) -> pd.DataFrame:
    """Return the predictions for the instances of these days, with `day` and the outcome (NaN: not landed yet).

    `raw_probability` is what the champion of today says about each of them, without calibration.
    """
    predictions = metrics.predictions(paths.PREDICTION_LOG, first, last)
    if predictions.empty:
        return pd.DataFrame(columns=["day", "model", *SLICES, TIME, OUTCOME])
    raw = artifact.load(*models.package_of(champion)).predict(make_features(predictions))
    predictions = predictions.assign(raw_probability=raw)
    outcomes = metrics.outcomes(paths.DATA, sorted(predictions["day"].unique()))
    return predictions.merge(outcomes, on=ID, how="left")


def measure(champion: ModelVersion, recent: pd.DataFrame, yesterday: str) -> None:
    """Measure the quality of the last days for every model that served, and yesterday's service and inputs."""
    name, instances = models.served_as(champion), recent[recent["day"] == yesterday]
    with store.open_store(paths.METRICS_STORE) as connection:
        for day, landed in recent.dropna(subset=OUTCOME).groupby("day"):
            for model, of_model, probability in predictions_by_model(landed):
                store.write(connection, str(day), model, metrics.quality_metrics(of_model, probability))
            raw_bias = float((landed["raw_probability"] - label_of(landed)).mean())
            store.write(connection, str(day), name, {("raw_bias", store.ALL): raw_bias})
        if not instances.empty:
            age = {("age_days", store.ALL): float(days_between(reference(champion).last_day, yesterday))}
            store.write(connection, yesterday, name, age | skew(instances, yesterday))
        counted = store.by_slice(connection, metrics.SERVICE, before(yesterday, 1), "answered_within")
        store.write(connection, yesterday, metrics.SERVICE, metrics.service_metrics(counted))


def skew(instances: pd.DataFrame, yesterday: str) -> metrics.Metrics:
    """Measure whether predictions were made from what was published, corrected as it was that day."""
    if not (paths.DATA / ROWS / f"{yesterday}.parquet").exists():
        return {}
    return metrics.skew_metrics(instances, published(yesterday), artifacts(instances))


def published(day: str) -> pd.DataFrame:
    """Return the instances published for a day, corrected as they were that day."""
    correction = corrections.read(paths.DATA).get(day, Correction(""))
    instances = corrections.read_instances(paths.DATA / ROWS / f"{day}.parquet", correction.renamed)
    return put_right(instances, correction.transforms)


def report(champion: ModelVersion, recent: pd.DataFrame, yesterday: str) -> None:
    """Add yesterday to the reports for people, if its outcomes have landed."""
    from .reports import add_report  # seconds of imports, and only this process needs them

    landed = recent[recent["day"] == yesterday].dropna(subset=OUTCOME)
    if landed.empty:
        return
    name, sample = models.served_as(champion), reference(champion).sample
    instances = landed.assign(«prediction»=landed["champion_probability"])
    measured = add_report(paths.REPORTS, yesterday, name, instances, sample)
    with store.open_store(paths.METRICS_STORE) as connection:
        store.write(
            connection, yesterday, name, {(metric, store.ALL): value for metric, value in measured.items()}
        )


def predictions_by_model(instances: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, "pd.Series[float]"]]:
    """Yield each model that served on a day with its instances and probabilities: all instances for the champion."""
    champions = instances.loc[instances["arm"] == CHAMPION, "model"].mode()
    if not champions.empty:  # on a day of few predictions the challenger may have made them all
        yield str(champions.iloc[0]), instances, instances["champion_probability"]
    for model, of_model in instances[instances["arm"] == CHALLENGER].groupby("model"):
        yield str(model), of_model, of_model["«prediction»"]


def artifacts(predictions: pd.DataFrame) -> dict[str, artifact.Artifact]:
    """Return the packages of the models that made these predictions, by the name in the prediction."""
    made = {models.served_as(version): version for version in models.versions() if "digest" in version.tags}
    return {
        name: artifact.load(*models.package_of(made[name]))
        for name in predictions["model"].unique()
        if name in made
    }

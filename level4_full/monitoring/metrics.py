"""The metrics of a day: prediction quality, the feed, inputs, skew, and the service itself."""

import json
import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.json as pj
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from ..config import problem
from ..config.database import Address
from ..config.problem import GROUP, ID, TIME
from ..data import tables
from ..data.features import CATEGORICAL, make_features
from ..operations.replicas import ask
from ..registry.artifact import Artifact
from ..serving.calibration import calibrated
from ..serving.prediction_log import open_log
from ..serving.routing import CHAMPION
from ..training.evaluate import log_losses, quality
from ..training.model import is_late
from .store import ALL

Metrics = dict[tuple[str, str], float]  # by name and slice

SERVICE = "service"  # under whose name its metrics are kept, whichever model it serves
MIN_FLIGHTS = 20  # in a slice of a day
QUERY = f"""
SELECT substr("{TIME}", 1, 10) AS day, arm, model, late_probability, others, intercept, inputs, repaired
FROM predictions WHERE id IN (
  SELECT max(id) FROM predictions WHERE "{TIME}" BETWEEN ? AND ? GROUP BY "{ID}"
) ORDER BY "{TIME}", "{ID}"
"""  # noqa: S608 - of our own names
# Of the inputs: left to guess, the reader would take ids that look like dates for dates.
KINDS = pa.schema(
    {
        name: pa.timestamp("ns") if kind == "date-time" else tables.TYPES[kind]
        for name, kind in tables.FLIGHTS.items()
    }
)


def predictions(address: Address, first: str, last: str) -> pd.DataFrame:
    """Return the last prediction for each flight of these days, with its inputs and its `day`.

    `champion_probability` is what the champion predicted, also where the challenger served.
    """
    with open_log(address) as log:
        # Made here: only monitoring queries by day, and a day must cost the same however long the log is.
        log.make(f'CREATE INDEX IF NOT EXISTS by_time ON predictions ("{TIME}")')
        logged = pd.DataFrame(log.rows(QUERY, [first, f"{last}T99"]))
    if logged.empty:
        return logged
    logged["champion_probability"] = _by_champion(logged)
    inputs = map(_as_used, logged.pop("inputs"), logged.pop("repaired"))
    lines = pa.BufferReader("\n".join(inputs).encode())
    flights = pj.read_json(lines, parse_options=pj.ParseOptions(explicit_schema=KINDS)).to_pandas()
    return flights.join(logged)


def _as_used(inputs: str, repaired: str | None) -> str:
    """Return a flight as its features were made from it, in JSON."""
    return json.dumps(json.loads(inputs) | json.loads(repaired)) if repaired else inputs


def _by_champion(logged: pd.DataFrame) -> list[float]:
    """Return what the champion of each day predicted, from `others` where it did not serve."""
    champions = logged[logged["arm"] == CHAMPION].groupby("day")["model"].last()
    others = map(json.loads, logged.pop("others"))
    return [
        other.get(champions.get(day), probability)
        for day, other, probability in zip(logged["day"], others, logged["late_probability"], strict=True)
    ]


def outcomes(data: Path, days: list[str]) -> pd.DataFrame:
    """Return the outcomes of these days that have landed; the last one for each flight counts."""
    files = [path for day in days if (path := data / problem.OUTCOMES / f"{day}.parquet").exists()]
    return tables.read(files, tables.OUTCOMES).dropna().drop_duplicates(ID, keep="last")


def quality_metrics(landed: pd.DataFrame, probability: "pd.Series[float]") -> Metrics:
    """Measure the predictions of one model for a day's flights against their outcomes: overall and by group."""
    late = is_late(landed)
    losses = log_losses(probability.to_numpy(), late.to_numpy())
    metrics: Metrics = {("flights", ALL): len(landed)}
    if late.nunique() == 2:
        metrics[("auc", ALL)] = quality(late, probability.to_numpy())["auc"]
    slices = {ALL: np.ones(len(landed), dtype=bool)}
    slices |= {f"{GROUP} {name}": (landed[GROUP] == name).to_numpy() for name in landed[GROUP].unique()}
    for name, inside in slices.items():
        if inside.sum() >= MIN_FLIGHTS or name == ALL:
            metrics[("log_loss", name)] = float(losses[inside].mean())
            metrics[("bias", name)] = float((probability - late)[inside].mean())
    return metrics


def skew_metrics(predictions: pd.DataFrame, published: pd.DataFrame, artifacts: Mapping[str, Artifact]) -> Metrics:
    """Let each model predict again from the flights as published: skew is the share that differs.

    Anybody may ask about flights that nobody published, and those are only counted.
    """
    about_published = predictions[ID].isin(published[ID])
    unpublished, predictions = float((~about_published).mean()), predictions[about_published]
    if predictions.empty:
        return {("unpublished", ALL): unpublished, ("unrequested", ALL): 1.0}
    raw = published.set_index(ID).reindex(predictions[ID]).reset_index()
    raw[CATEGORICAL] = raw[CATEGORICAL].fillna("")
    again = pd.Series(np.nan, index=predictions.index)
    for model, artifact in artifacts.items():
        inside = (predictions["model"] == model).to_numpy()
        if inside.any():
            predicted = artifact.predict(make_features(raw[inside]))
            again[inside] = calibrated(predicted, predictions.loc[inside, "intercept"].to_numpy())
    return {
        ("skew", ALL): float(((again - predictions["late_probability"]).abs() > 1e-6).mean()),
        ("unpublished", ALL): unpublished,
        ("unrequested", ALL): float((~published[ID].isin(predictions[ID])).mean()),
    }


def service_metrics(counted: Mapping[str, float]) -> Metrics:
    """Read the metrics of all replicas: requests and errors since their start, memory, and the p95 latency in ms.

    The latency is that of the requests since they were `counted`: a slow day would vanish among all those before.
    """
    families: dict[str, list[Sample]] = defaultdict(list)
    for answer in ask(os.environ["APPLICATION"], "/metrics"):
        for family in text_string_to_metric_families(answer.text):
            families[family.name] += family.samples
    requests = [sample for sample in families["http_requests"] if sample.name.endswith("_total")]
    metrics: Metrics = {
        ("requests", ALL): sum(sample.value for sample in requests),
        ("errors", ALL): sum(sample.value for sample in requests if sample.labels["status"].startswith("5")),
    }
    if memory := [sample.value for sample in families["process_resident_memory_bytes"]]:  # some systems count none
        metrics[("memory_mb", ALL)] = max(memory) / 2**20
    buckets: dict[str, float] = defaultdict(float)
    for sample in families["http_request_duration_highr_seconds"]:
        if sample.name.endswith("_bucket"):
            buckets[sample.labels["le"]] += sample.value
    metrics |= {("answered_within", edge): count for edge, count in buckets.items()}
    if any(count < counted.get(edge, 0.0) for edge, count in buckets.items()):
        counted = {}  # by a process that has been replaced
    new = {float(edge): count - counted.get(edge, 0.0) for edge, count in buckets.items()}
    if total := max(new.values(), default=0.0):
        metrics[("p95_ms", ALL)] = next(1e3 * edge for edge, count in new.items() if count >= 0.95 * total)
    return metrics

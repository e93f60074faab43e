"""What production shows: measures of one day's answers, inputs and service, once its outcomes have landed."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
from prometheus_client.parser import text_string_to_metric_families

from ..data.features import CATEGORIES, make_features
from ..delivery.experiment import loss
from ..registry.artifact import Artefact
from ..serving.prediction_log import open_log
from ..training.evaluate import quality
from ..training.model import is_late
from .reference import Reference, beyond, daily
from .store import ALL

Measures = dict[tuple[str, str], float]  # by name and slice

FEWEST_FLIGHTS = 20  # in a slice of a day
QUERY = """
SELECT * FROM predictions WHERE id IN (
  SELECT max(id) FROM predictions WHERE scheduled_departure BETWEEN ? AND ? GROUP BY flight_id
) ORDER BY scheduled_departure, flight_id
"""


def answers(log: Path, first: str, last: str) -> pd.DataFrame:
    """Return the last answer for each flight of these days, with its inputs and what the champion said."""
    with open_log(log) as connection:
        # Made here: only who watches looks for days, and a day must cost the same however long the log is.
        connection.execute("CREATE INDEX IF NOT EXISTS by_departure ON predictions (scheduled_departure)")
        rows = connection.execute(QUERY, [first, f"{last}T99"]).fetchall()
    given = pd.DataFrame(map(dict, rows))
    if given.empty:
        return given
    flights = pd.DataFrame(map(json.loads, given["inputs"]))
    flights["scheduled_departure"] = pd.to_datetime(flights["scheduled_departure"], format="ISO8601")
    given["said"] = given["champion_probability"].astype(float).fillna(given["late_probability"])
    return flights.join(given[["arm", "model", "late_probability", "said"]])


def outcomes(data: Path, days: list[str]) -> pd.DataFrame:
    """Return what has landed about the flights of these days; the last word counts."""
    files = [path for day in days if (path := data / "outcomes" / f"{day}.parquet").exists()]
    if not files:
        return pd.DataFrame(columns=["flight_id", "arrival_delay"])
    return pd.concat(map(pd.read_parquet, files)).dropna().drop_duplicates("flight_id", keep="last")


def of_quality(known: pd.DataFrame) -> Measures:
    """Measure a day's answers against its outcomes: overall and by origin."""
    late = is_late(known)
    losses = loss(known["said"].to_numpy(), late.to_numpy() == 1)
    found: Measures = {("flights", ALL): len(known)}
    if late.nunique() == 2:
        found[("auc", ALL)] = quality(late, known["said"].to_numpy())["auc"]
    cuts = {ALL: np.ones(len(known), dtype=bool)}
    cuts |= {f"origin {name}": (known["origin"] == name).to_numpy() for name in known["origin"].unique()}
    for cut, here in cuts.items():
        if here.sum() >= FEWEST_FLIGHTS or cut == ALL:
            found[("log_loss", cut)] = float(losses[here].mean())
            found[("bias", cut)] = float((known["said"] - late)[here].mean())
    return found


def of_feed(published: pd.DataFrame, known: Reference, before: Mapping[str, float]) -> Measures:
    """Measure a day's published flights, which the next model will learn from, against the day before.

    Args:
        published: the day's flights; a column that is not there is missing for every flight.
        known: what the champion learned from.
        before: `mean` and `missing` of each column on the day before, as far as they are known.
    """
    today = {str(name): float(value) for name, value in daily(published).iloc[0].items()}
    found: Measures = {("level", name): value for name, value in today.items()}
    for name, value in today.items():
        if name in before and pd.notna(value):
            found[("jump", name)] = abs(value - before[name]) / known.jumps[name]
    return found


def of_inputs(flights: pd.DataFrame, known: Reference) -> Measures:
    """Measure a day's flights as they were asked about, and what was said, against what the champion knows."""
    return {
        ("beyond", ALL): float(beyond(flights, known).mean()),
        ("prediction_drift", ALL): psi(known.sample["late_probability"], flights["said"]),
    }


def psi(expected: "pd.Series[float]", actual: "pd.Series[float]") -> float:
    """Return the population stability index over tenths of `expected`: above 0.25 is held to be a large change."""
    edges = np.quantile(expected, np.linspace(0, 1, 11)[1:-1])
    shares = [
        np.bincount(np.searchsorted(edges, column), minlength=10) / len(column) for column in (expected, actual)
    ]
    before, now = (np.clip(share, 1e-4, None) for share in shares)
    return float(((now - before) * np.log(now / before)).sum())


def of_skew(given: pd.DataFrame, published: pd.DataFrame, artefacts: Mapping[str, Artefact]) -> Measures:
    """Let each model answer again, from the flights as they were published: the share that differs is skew."""
    raw = published.set_index("flight_id").reindex(given["flight_id"]).reset_index()
    raw[CATEGORIES] = raw[CATEGORIES].fillna("")
    again = pd.Series(np.nan, index=given.index)
    for model, artefact in artefacts.items():
        here = (given["model"] == model).to_numpy()
        if here.any():
            again[here] = artefact.answer(make_features(raw[here]))
    return {
        ("skew", ALL): float(((again - given["late_probability"]).abs() > 1e-6).mean()),
        ("unasked", ALL): float((~published["flight_id"].isin(given["flight_id"])).mean()),
    }


def of_service() -> Measures:
    """Measure the service by its own metrics, since it started: p95 of latency in ms, requests, errors."""
    families = {
        each.name: each.samples
        for each in text_string_to_metric_families(httpx.get(f"{os.environ['APPLICATION']}/metrics").text)
    }
    asked = [each for each in families.get("http_requests", []) if each.name.endswith("_total")]
    found: Measures = {
        ("requests", ALL): sum(each.value for each in asked),
        ("errors", ALL): sum(each.value for each in asked if each.labels["status"].startswith("5")),
    }
    buckets = [
        (float(each.labels["le"]), each.value)
        for each in families.get("http_request_duration_highr_seconds", [])
        if each.name.endswith("_bucket")
    ]
    if buckets and (total := buckets[-1][1]):
        found[("p95_ms", ALL)] = next(1e3 * edge for edge, count in buckets if count >= 0.95 * total)
    return found

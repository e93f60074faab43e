"""What the watch looks at: answers joined with outcomes, measured day by day, and gathered for a decision."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from mlflow.entities.model_registry import ModelVersion

from ..config import paths
from ..config.policy import days_back
from ..data.features import make_features
from ..data.schema import Flight
from ..delivery import promotion
from ..delivery.experiment import loss
from ..registry import artifact, history, models
from ..serving.routing import CHALLENGER, CHAMPION
from ..training.model import is_late
from . import guards, metrics, store
from .dates import before, days_between
from .decide import Seen
from .reference import Reference, reference

FEED = "feed"  # what is measured of it is no model's
DAYS_BACK = 7  # measured again every day, since outcomes come late or are corrected


def answered(first: str, last: str) -> pd.DataFrame:
    """Return the answers of these days with `day`, and with what has landed about them (none: NaN)."""
    given = metrics.answers(paths.PREDICTION_LOG, first, last)
    if given.empty:
        return pd.DataFrame(columns=["day", "model", "arrival_delay"])
    given["day"] = given["scheduled_departure"].dt.strftime("%Y-%m-%d")
    return given.merge(metrics.outcomes(paths.DATA, sorted(given["day"].unique())), on="flight_id", how="left")


def measure(champion: ModelVersion, known: pd.DataFrame, yesterday: str) -> str:
    """Measure the last days' quality of every model that served, and yesterday's service, feed and inputs.

    Returns:
        Why the feed could not be measured, if so: what hurts must be seen also on the day it became unreadable.
    """
    name, file = name_of(champion), paths.DATA / "flights" / f"{yesterday}.parquet"
    today = known[known["day"] == yesterday]
    with store.open_store(paths.METRICS_STORE) as connection:
        for day, flights in known.dropna(subset="arrival_delay").groupby("day"):
            for model, answers in served(flights):
                store.write(connection, str(day), model, metrics.of_quality(answers))
        what = learned(champion, connection)
        unmeasured = measure_feed(connection, name, what, today, file) if file.exists() else ""
        if not today.empty:
            age = {("age_days", store.ALL): float(days_between(what.last_day, yesterday))}
            store.write(connection, yesterday, name, metrics.of_inputs(today, what) | age | metrics.of_service())
    return unmeasured


def measure_feed(
    connection: sqlite3.Connection, name: str, what: Reference, today: pd.DataFrame, file: Path
) -> str:
    """Measure a day's published flights, and whether the answers were given to these; say why not, if so."""
    level = store.slices(connection, FEED, before(file.stem, 1), "level")
    try:
        published = pd.read_parquet(file).reindex(columns=list(Flight.model_fields))
        store.write(connection, file.stem, FEED, metrics.of_feed(published, what, level))
        if not today.empty:
            store.write(connection, file.stem, name, metrics.of_skew(today, published, artefacts(today)))
    except Exception as error:  # it may have become anything
        return f"{type(error).__name__}, {error}"
    return ""


def learned(champion: ModelVersion, connection: sqlite3.Connection) -> Reference:
    """Return what the champion learned from."""
    return reference(champion, guards.odd_days(store.decisions(connection)))


def report(champion: ModelVersion, known: pd.DataFrame, yesterday: str) -> None:
    """Add yesterday to the reports that people look at, if its outcomes have landed."""
    from .reports import add_report  # seconds of imports, and only this process needs them

    landed = known[known["day"] == yesterday].dropna(subset="arrival_delay")
    if landed.empty:
        return
    with store.open_store(paths.METRICS_STORE) as connection:
        sample = learned(champion, connection).sample
    add_report(paths.REPORTS, yesterday, name_of(champion), landed.assign(late_probability=landed["said"]), sample)


def look(champion: ModelVersion, known: pd.DataFrame, day: str, due: bool, policy: dict[str, Any]) -> Seen:
    """Gather what a decision is made from.

    Args:
        champion: what serves.
        known: the last days' answers and outcomes.
        day: today.
        due: whether the schedule has a training today.
        policy: how many days back its thresholds look.
    """
    name, yesterday = name_of(champion), before(day, 1)
    with store.open_store(paths.METRICS_STORE) as connection:
        taken = store.decisions(connection)
        window = store.read(connection, name, before(day, days_back(policy)), yesterday)
        jumps, what = store.slices(connection, FEED, yesterday, "jump"), learned(champion, connection)
        away = away_from(connection, taken, yesterday, what)
        skew = store.slices(connection, name, yesterday, "skew").get(store.ALL, 0.0)
    trained = [each["day"] for each in taken if each["decision"] == guards.RETRAIN]
    last = trained[-1] if trained else before(what.last_day, -1)
    landed = sorted(path.stem for path in (paths.DATA / "outcomes").glob("*.parquet"))
    extra, numbers = against_previous(known, name, before(day, policy["rollback"]["days"]))
    return Seen(
        day=day,
        window=window,
        jumps=jumps,
        away=away,
        skew=skew,
        silent_days=days_between(landed[-1], yesterday),
        extra=extra,
        numbers=numbers,
        new_flights=sum(
            pq.read_metadata(paths.DATA / "outcomes" / f"{each}.parquet").num_rows
            for each in landed
            if each >= last
        ),
        age_days=days_between(last, day),
        due=due,
        on_trial=models.version_of(promotion.CHALLENGER) is not None,
        decisions=taken,
    )


def away_from(
    connection: sqlite3.Connection, taken: list[guards.Decision], yesterday: str, what: Reference
) -> dict[str, float]:
    """Return how far each measure of the feed is from where it was before the open hold, if there is one."""
    if not (held := guards.open_holds(taken)):
        return {}
    then = store.slices(connection, FEED, before(held[0]["day"], 2), "level")
    now = store.slices(connection, FEED, yesterday, "level")
    return {name: abs(now[name] - then[name]) / float(what.jumps[name]) for name in now if name in then}


def served(flights: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the models that answered on a day, each with what it said: the champion about every flight."""
    usual = flights.loc[flights["arm"] == CHAMPION, "model"].mode()
    if not usual.empty:  # on a day of few answers the challenger may have given them all
        yield str(usual.iloc[0]), flights
    for model, answers in flights[flights["arm"] == CHALLENGER].groupby("model"):
        yield str(model), answers.assign(said=answers["late_probability"])


def against_previous(known: pd.DataFrame, name: str, first: str) -> tuple[np.ndarray, np.ndarray]:
    """Return how much worse the champion was than the one before would have been, and each flight's number."""
    previous = history.champion_before(history.events(), models.version_of(models.CHAMPION))
    mine = known[known["day"] >= first].dropna(subset="arrival_delay")
    mine = mine[mine["model"] == name]
    if not previous or mine.empty:
        return np.array([]), np.array([], dtype=int)
    digest = models.version(previous).tags["digest"]
    theirs = artifact.load(paths.PACKAGES / digest, digest).answer(make_features(mine))
    late = is_late(mine).to_numpy() == 1
    # Not `said`: while it was a challenger, that is what the champion of those days said.
    extra = loss(mine["late_probability"].to_numpy(), late) - loss(theirs, late)
    return extra, pd.factorize(mine["carrier"] + mine["flight"].astype(str))[0]


def artefacts(given: pd.DataFrame) -> dict[str, artifact.Artefact]:
    """Return the packages of the models that gave these answers, by the name in the answer."""
    found = {path.name[:12]: path for path in paths.PACKAGES.iterdir()}
    return {
        name: artifact.load(folder, folder.name)
        for name in given["model"].unique()
        if (folder := found.get(name.partition("@")[2]))
    }


def name_of(version: ModelVersion) -> str:
    """Return the name under which a version answers."""
    return f"{models.MODEL}/{version.version}@{version.tags['digest'][:12]}"

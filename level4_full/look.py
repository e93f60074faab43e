"""What the watch looks at: answers joined with outcomes, measured day by day, and gathered for a decision."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from mlflow.entities.model_registry import ModelVersion

from . import artefact, guards, history, measures, monitor, registry, release
from .days import before, days_between
from .decide import Seen
from .experiment import loss
from .features import make_features
from .model import is_late
from .policy import days_back
from .reference import Reference, reference
from .routing import CHALLENGER, CHAMPION
from .schema import Flight
from .steps import DATA, STAGE

FEED = "feed"  # what is measured of it is no model's
DAYS_BACK = 7  # measured again every day, since outcomes come late or are corrected


def answered(first: str, last: str) -> pd.DataFrame:
    """Return the answers of these days with `day`, and with what has landed about them (none: NaN)."""
    given = monitor.answers(STAGE / "predictions.db", first, last)
    if given.empty:
        return pd.DataFrame(columns=["day", "model", "arrival_delay"])
    given["day"] = given["scheduled_departure"].dt.strftime("%Y-%m-%d")
    return given.merge(monitor.outcomes(DATA, sorted(given["day"].unique())), on="flight_id", how="left")


def measure(champion: ModelVersion, known: pd.DataFrame, yesterday: str) -> str:
    """Measure the last days' quality of every model that served, and yesterday's service, feed and inputs.

    Returns:
        Why the feed could not be measured, if so: what hurts must be seen also on the day it became unreadable.
    """
    name, file = name_of(champion), DATA / "flights" / f"{yesterday}.parquet"
    today = known[known["day"] == yesterday]
    with measures.open_store(measures.STORE) as store:
        for day, flights in known.dropna(subset="arrival_delay").groupby("day"):
            for model, answers in served(flights):
                measures.write(store, str(day), model, monitor.of_quality(answers))
        what = learned(champion, store)
        unmeasured = measure_feed(store, name, what, today, file) if file.exists() else ""
        if not today.empty:
            age = {("age_days", measures.ALL): float(days_between(what.last_day, yesterday))}
            measures.write(store, yesterday, name, monitor.of_inputs(today, what) | age | monitor.of_service())
    return unmeasured


def measure_feed(store: sqlite3.Connection, name: str, what: Reference, today: pd.DataFrame, file: Path) -> str:
    """Measure a day's published flights, and whether the answers were given to these; say why not, if so."""
    level = measures.slices(store, FEED, before(file.stem, 1), "level")
    try:
        published = pd.read_parquet(file).reindex(columns=list(Flight.model_fields))
        measures.write(store, file.stem, FEED, monitor.of_feed(published, what, level))
        if not today.empty:
            measures.write(store, file.stem, name, monitor.of_skew(today, published, artefacts(today)))
    except Exception as error:  # it may have become anything
        return f"{type(error).__name__}, {error}"
    return ""


def learned(champion: ModelVersion, store: sqlite3.Connection) -> Reference:
    """Return what the champion learned from."""
    return reference(champion, guards.odd_days(measures.decisions(store)))


def report(champion: ModelVersion, known: pd.DataFrame, yesterday: str) -> None:
    """Add yesterday to the reports that people look at, if its outcomes have landed."""
    from .reports import add_report  # seconds of imports, and only this process needs them

    landed = known[known["day"] == yesterday].dropna(subset="arrival_delay")
    if landed.empty:
        return
    with measures.open_store(measures.STORE) as store:
        sample = learned(champion, store).sample
    add_report(
        STAGE / "evidently", yesterday, name_of(champion), landed.assign(late_probability=landed["said"]), sample
    )


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
    with measures.open_store(measures.STORE) as store:
        taken = measures.decisions(store)
        window = measures.read(store, name, before(day, days_back(policy)), yesterday)
        jumps, what = measures.slices(store, FEED, yesterday, "jump"), learned(champion, store)
        away = away_from(store, taken, yesterday, what)
        skew = measures.slices(store, name, yesterday, "skew").get(measures.ALL, 0.0)
    trained = [each["day"] for each in taken if each["decision"] == guards.RETRAIN]
    last = trained[-1] if trained else before(what.last_day, -1)
    landed = sorted(path.stem for path in (DATA / "outcomes").glob("*.parquet"))
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
            pq.read_metadata(DATA / "outcomes" / f"{each}.parquet").num_rows for each in landed if each >= last
        ),
        age_days=days_between(last, day),
        due=due,
        on_trial=registry.version_of(release.CHALLENGER) is not None,
        decisions=taken,
    )


def away_from(
    store: sqlite3.Connection, taken: list[guards.Decision], yesterday: str, what: Reference
) -> dict[str, float]:
    """Return how far each measure of the feed is from where it was before the open hold, if there is one."""
    if not (held := guards.open_holds(taken)):
        return {}
    then = measures.slices(store, FEED, before(held[0]["day"], 2), "level")
    now = measures.slices(store, FEED, yesterday, "level")
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
    previous = history.champion_before(history.events(), registry.version_of(registry.CHAMPION))
    mine = known[known["day"] >= first].dropna(subset="arrival_delay")
    mine = mine[mine["model"] == name]
    if not previous or mine.empty:
        return np.array([]), np.array([], dtype=int)
    digest = registry.version(previous).tags["digest"]
    theirs = artefact.load(STAGE / "serving" / digest, digest).answer(make_features(mine))
    late = is_late(mine).to_numpy() == 1
    # Not `said`: while it was a challenger, that is what the champion of those days said.
    extra = loss(mine["late_probability"].to_numpy(), late) - loss(theirs, late)
    return extra, pd.factorize(mine["carrier"] + mine["flight"].astype(str))[0]


def artefacts(given: pd.DataFrame) -> dict[str, artefact.Artefact]:
    """Return the packages of the models that gave these answers, by the name in the answer."""
    found = {path.name[:12]: path for path in Path(STAGE, "serving").iterdir()}
    return {
        name: artefact.load(folder, folder.name)
        for name in given["model"].unique()
        if (folder := found.get(name.partition("@")[2]))
    }


def name_of(version: ModelVersion) -> str:
    """Return the name under which a version answers."""
    return f"{registry.MODEL}/{version.version}@{version.tags['digest'][:12]}"

"""What people hear of beside the loop: no training starts or waits for it, and each watcher fails by itself."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from mlflow.entities.model_registry import ModelVersion

from ..config import paths
from ..config.environment import installed
from ..config.files import write_text
from ..config.policy import Policy
from ..config.problem import OUTCOME, SLICES
from ..events import Event, Kind
from ..registry import models
from ..training.model import label_of
from ..training.paired import Difference
from ..training.surroundings import difference
from . import notify, store
from .dates import before, days_between
from .measure import DAYS_BACK
from .metrics import SERVICE, Metrics

MIN_INSTANCES = «[300, rows_per_day * 2] | min»  # guess: in a slice of a week: with less, its bias says little


def watch(day: str, champion: ModelVersion, recent: pd.DataFrame, policy: Policy) -> list[Event]:
    """Report, and notify people of, what is beyond a limit of the policy this morning and what has changed."""
    events: list[Event] = []
    for watcher in (freshness, service, bias, offline_and_online, changes):
        try:
            events += watcher(day, champion, recent, policy)
        except Exception as error:
            events.append(Event(Kind.FAILED, f"{watcher.__name__} failed, {type(error).__name__}: {error}"))
    for event in events:
        if event.kind in (Kind.ALARM, Kind.CHANGED):
            notify.put(paths.OUTBOX, f"{day}-{event.facts['cause']}", event.text)
    return events


def freshness(day: str, champion: ModelVersion, recent: pd.DataFrame, policy: Policy) -> list[Event]:
    """Alarm when the newest outcome is too old; keep its age."""
    newest = recent["day"].where(recent[OUTCOME].notna(), recent["day"].min()).max()
    ages: Metrics = {("outcome_days", store.ALL): days_between(newest, day)} if len(recent) else {}
    with store.open_store(paths.METRICS_STORE) as connection:
        store.write(connection, day, models.served_as(champion), ages)
    limits = policy.model_dump()["freshness"]
    return _alarm("freshness", {f"{name} {of}": age for (name, of), age in ages.items() if age > limits[name]})




def service(day: str, _: ModelVersion, __: pd.DataFrame, policy: Policy) -> list[Event]:
    """Alarm when yesterday's requests were slow, or the service has become large, however slowly it got there."""
    with store.open_store(paths.METRICS_STORE) as connection:
        measured = store.read(connection, SERVICE, before(day, 1), before(day, 1)).max()
    limits = policy.service.items()
    return _alarm("service", {name: measured[name] for name, limit in limits if measured.get(name, 0.0) > limit})


def bias(day: str, _: ModelVersion, recent: pd.DataFrame, policy: Policy) -> list[Event]:
    """Alarm when the answers of the last week were too high, or too low, in a slice: people decide what to do."""
    landed = recent[recent["day"] >= before(day, DAYS_BACK)].dropna(subset=OUTCOME)
    if landed["day"].nunique() < DAYS_BACK:  # fewer days may look like anything
        return []
    biased: dict[str, float] = {}
    errors = landed["champion_probability"] - label_of(landed)
    for column in SLICES:
        of_slice = errors.groupby(landed[column]).agg(["mean", "size"])
        means = of_slice.loc[of_slice["size"] >= MIN_INSTANCES, "mean"]
        biased |= {f"{column} {name}": mean for name, mean in means.items() if abs(mean) > policy.max_bias}
    return _alarm("bias", biased)


def _alarm(cause: str, evidence: Mapping[str, float]) -> list[Event]:
    evidence = {name: float(f"{value:.3g}") for name, value in evidence.items()}
    text = f"ALARM {cause}: {', '.join(f'{name} {value}' for name, value in evidence.items())}"
    return [Event(Kind.ALARM, text, {"cause": cause, "evidence": evidence})] if evidence else []


def offline_and_online(day: str, champion: ModelVersion, _: pd.DataFrame, __: Policy) -> list[Event]:
    """Compare the champion's loss of a week with that of its held-out days: its days move it, so no alarm."""
    name, offline = models.served_as(champion), models.training_of(champion).metrics["holdout_«loss»"]
    with store.open_store(paths.METRICS_STORE) as connection:
        week = store.read(connection, name, before(day, DAYS_BACK), before(day, 1))
        losses = week.get("«loss»", pd.Series(dtype=float)).dropna()
        if losses.empty:
            return []
        online = float(losses.mean())
        both = {("online_log_loss", store.ALL): online, ("offline_log_loss", store.ALL): offline}
        store.write(connection, day, name, both)
    excess = Difference(online - offline, float(losses.std() / np.sqrt(len(losses))), len(losses))
    text = f"loss {online:.3f} online, over {len(losses)} days, and {offline:.3f} offline: {excess}"
    return [Event(Kind.CHECKED, text, {"online": online, "offline": offline, "days": len(losses)})]


def changes(_: str, __: ModelVersion, ___: pd.DataFrame, policy: Policy) -> list[Event]:
    """Name who owns what the upstream announces, or the packages that are others, since the last morning: once."""
    schema, events = paths.DROP / "schema.json", []
    announced = json.loads(schema.read_text()) if schema.exists() else {}
    now: dict[str, dict[str, Any]] = {"upstream": announced, "packages": installed()}
    known = json.loads(paths.KNOWN.read_text()) if paths.KNOWN.exists() else now | {"upstream": {}}
    for what, owner in policy.owners.items():
        if changed := difference(known[what], now[what]):
            words = ", ".join(f"{name} {old} → {new}" for name, (old, new) in changed.items())
            facts = {"cause": what, "owner": owner, "changed": changed}
            events.append(Event(Kind.CHANGED, f"CHANGED {what}, for the {owner}: {words}", facts))
    write_text(paths.KNOWN, json.dumps(now))
    return events

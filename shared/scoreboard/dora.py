"""DORA's five metrics of one level's year, adapted to models."""

from datetime import date, timedelta
from statistics import median
from typing import Any

import pandas as pd

from ..simulation.event_log import Event
from .impact import SIGNS_OF_TROUBLE, by_day
from .result import Result

FAILED_SHARE = 0.02  # a release is a failed one if it makes this share of its first days' answers wrong
FAILED_DAYS = 14


def dora(result: Result, calm: Result) -> dict[str, Any]:
    """Return DORA's five metrics as defined in 2026, adapted to models; see the scoreboard's text for each."""
    releases = result.releases()
    deployments = result.event_log.of("deployment")
    changes = [event for event in deployments if event["day"] > result.first and event["share"] == 1]
    months = _days_between(result.first, result.event_log.events[-1]["day"]) / 30.4
    leads = [_days_between(result.trained(release), release["day"]) for release in releases]
    failed = [change for change in changes if _is_failed(change, changes, result, calm)]
    ends = [_restored(change, changes, result, calm) for change in failed]
    recoveries = [_days_between(change["day"], end) for change, end in zip(failed, ends, strict=True) if end]
    return {
        "deployments": len(changes),
        "deployment_frequency_per_month": round(len(changes) / months, 2),
        "change_lead_time_days": median(leads) if leads else None,
        "change_fail_rate": round(len(failed) / len(changes), 3) if changes else None,
        "failed_deployment_recovery_days": median(recoveries) if recoveries else None,
        "deployment_rework_rate": round(_rework(changes, result) / len(changes), 3) if changes else None,
    }


def _days_between(first: str, last: str) -> int:
    return (date.fromisoformat(last) - date.fromisoformat(first)).days


def _impact(change: Event, changes: list[Event], result: Result, calm: Result) -> pd.DataFrame:
    """Return the impact by day while a change was in service, at most for its first two weeks."""
    later = [other["day"] for other in changes if other["day"] > change["day"]]
    end = str(date.fromisoformat(change["day"]) + timedelta(days=FAILED_DAYS))
    inside = (result.flights["day"] >= change["day"]) & (result.flights["day"] < min([*later, end]))
    return by_day(result.flights[inside], calm.flights.loc[result.flights.index[inside]])


def _is_failed(change: Event, changes: list[Event], result: Result, calm: Result) -> bool:
    impact = _impact(change, changes, result, calm)
    return bool(len(impact)) and float(impact["harmed"].sum() / impact["flights"].sum()) > FAILED_SHARE


def _restored(change: Event, changes: list[Event], result: Result, calm: Result) -> str | None:
    """Return the day of the next change that did not fail."""
    for later in changes:
        if later["day"] > change["day"] and not _is_failed(later, changes, result, calm):
            return str(later["day"])
    return None


def _rework(changes: list[Event], result: Result) -> int:
    """Count the changes that people made because of trouble, and those that went back to an earlier model."""
    acted = {event["day"] for event in result.event_log.of("acted") if event["on"] in SIGNS_OF_TROUBLE}
    names: set[str] = set()
    count = 0
    for change in changes:
        if change["day"] in acted or change["name"] in names:
            count += 1
        names.add(change["name"])
    return count

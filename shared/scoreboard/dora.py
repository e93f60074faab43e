"""DORA's five metrics of one level's year, adapted to models."""

from datetime import date, timedelta
from statistics import median
from typing import Any

import pandas as pd

from ..simulation.event_log import Event
from .impact import SIGNS_OF_TROUBLE, harm_of
from .result import Played

FAILED_SHARE = 0.02  # a release is a failed one if it makes this share of its first days' answers wrong
FAILED_DAYS = 14


def dora(played: Played, calm: Played) -> dict[str, Any]:
    """Return DORA's five metrics as defined in 2026, adapted to models; see the scoreboard's text for each."""
    releases = played.releases()
    changes = [
        each for each in played.ledger.of("deployment") if each["day"] > played.first and each["share"] == 1
    ]
    months = (date.fromisoformat(played.ledger.events[-1]["day"]) - date.fromisoformat(played.first)).days / 30.4
    leads = [_between(played.trained(each), each["day"]) for each in releases]
    failed = [each for each in changes if _failed(each, changes, played, calm)]
    ends = [_restored(each, changes, played, calm) for each in failed]
    mended = [_between(each["day"], end) for each, end in zip(failed, ends, strict=True) if end]
    return {
        "deployments": len(changes),
        "deployment_frequency_per_month": round(len(changes) / months, 2),
        "change_lead_time_days": median(leads) if leads else None,
        "change_fail_rate": round(len(failed) / len(changes), 3) if changes else None,
        "failed_deployment_recovery_days": median(mended) if mended else None,
        "deployment_rework_rate": round(_rework(changes, played) / len(changes), 3) if changes else None,
    }


def _between(first: str, last: str) -> int:
    return (date.fromisoformat(last) - date.fromisoformat(first)).days


def _days_of(change: Event, changes: list[Event], played: Played, calm: Played) -> pd.DataFrame:
    """Return the harm day by day while a change was in service, at most for its first two weeks."""
    later = [each["day"] for each in changes if each["day"] > change["day"]]
    end = str(date.fromisoformat(change["day"]) + timedelta(days=FAILED_DAYS))
    inside = (played.flights["day"] >= change["day"]) & (played.flights["day"] < min([*later, end]))
    return harm_of(played.flights[inside], calm.flights.loc[played.flights.index[inside]])


def _failed(change: Event, changes: list[Event], played: Played, calm: Played) -> bool:
    harm = _days_of(change, changes, played, calm)
    return bool(len(harm)) and float(harm["harmed"].sum() / harm["flights"].sum()) > FAILED_SHARE


def _restored(change: Event, changes: list[Event], played: Played, calm: Played) -> str | None:
    """Return the day of the next change that did not fail."""
    later = [each for each in changes if each["day"] > change["day"]]
    return next((each["day"] for each in later if not _failed(each, changes, played, calm)), None)


def _rework(changes: list[Event], played: Played) -> int:
    """Count the changes that people made because of trouble, and those that went back to an earlier model."""
    acted = {each["day"] for each in played.ledger.of("acted") if each["on"] in SIGNS_OF_TROUBLE}
    seen: set[str] = set()
    count = 0
    for each in changes:
        count += each["day"] in acted or each["name"] in seen
        seen.add(each["name"])
    return count

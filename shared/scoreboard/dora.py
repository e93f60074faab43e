"""DORA's five metrics of one level's year, adapted to models."""

from datetime import date, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from scipy import stats

from ..simulation.event_log import Event
from .difference import Difference, clustered
from .notice import SIGNS_OF_TROUBLE
from .result import Result, losses

JUDGED_DAYS = 14  # after a release
CHANCE = 0.05  # of releases that change nothing, the test calls this share worse, and the same share better


def dora(result: Result) -> dict[str, Any]:
    """Return DORA's five metrics as defined in 2026, adapted to models; see the scoreboard's text for each."""
    deployments = result.event_log.of("deployment")
    changes = [event for event in deployments if event["day"] > result.first and event["share"] == 1]
    months = _days_between(result.first, result.event_log.events[-1]["day"]) / 30.4
    leads = [_days_between(result.trained(release), release["day"]) for release in result.releases()]
    return {
        "deployments": len(changes),
        "deployment_frequency_per_month": round(len(changes) / months, 2),
        "change_lead_time_days": median(leads) if leads else None,
        **_instability(result),
        "deployment_rework_rate": round(_rework(changes, result) / len(changes), 3) if changes else None,
    }


def _instability(result: Result) -> dict[str, Any]:
    """Return how many releases were worse than what they replaced, how many better, and how long that lasted."""
    pairs = pairwise(result.champions())
    judged = [(release["day"], sign(replacement(result, before, release))) for before, release in pairs]
    signs, recoveries = [found for _, found in judged], _recoveries(judged)
    return {
        "change_fail_rate": round(signs.count(1) / len(signs), 3) if signs else None,
        "change_improvement_rate": round(signs.count(-1) / len(signs), 3) if signs else None,
        "failed_deployment_recovery_days": median(recoveries) if recoveries else None,
    }


def _recoveries(judged: list[tuple[str, int]]) -> list[int]:
    """Return the days from each release that was worse to the next one that was not."""
    ends = {
        day: next((later for later, found in judged if later > day and found <= 0), None)
        for day, worse in judged
        if worse > 0
    }
    return [_days_between(day, end) for day, end in ends.items() if end]


def replacement(result: Result, before: Event, release: Event) -> Difference | None:
    """Return how much higher a release's log loss is than that of the model before it, on the same flights.

    Both are replayed on the real input of its first days, whichever of them served; the error is clustered by day.
    """
    end = str(date.fromisoformat(release["day"]) + timedelta(days=JUDGED_DAYS - 1))
    flights = result.flights[result.flights["day"].between(release["day"], end)]
    new, old = (
        losses(flights["late"], result.replayed.loc[flights.index, str(event["name"])])
        for event in (release, before)
    )
    return clustered(new - old, flights["day"])


def sign(difference: Difference | None) -> int:
    """Return 1 if a release is worse, -1 if it is better, 0 if the test (Student's t, one side) does not tell."""
    if difference is None or difference.t is None:
        return 0
    if abs(difference.t) <= stats.t.ppf(1 - CHANCE, difference.clusters - 1):
        return 0
    return 1 if difference.t > 0 else -1


def _days_between(first: str, last: str) -> int:
    return (date.fromisoformat(last) - date.fromisoformat(first)).days


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

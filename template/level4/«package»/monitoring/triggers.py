"""Triggers: which measurements raise an alarm, for a training or for a hold."""

from typing import Any

import pandas as pd

from ..config.policy import Drift, Guards, Performance, Retraining
from .alarm import Alarm, Cause


def retraining_alarm(
    window: pd.DataFrame, restarted: str, new_instances: int, age_days: int, policy: Retraining
) -> Alarm | None:
    """Return the first alarm that asks for a training, or None.

    Args:
        window: the champion's metrics `raw_bias` and `out_of_range_share`, one row per day, oldest first.
        restarted: the day of the last alarm about performance; what was before it does not add up any more.
        new_instances: how many outcomes have landed since the last training.
        age_days: of the champion's newest data.
        policy: the limits.
    """
    if new_instances >= policy.new_data.instances:
        return Alarm(Cause.NEW_DATA, {"instances": new_instances, "days old": age_days})
    if age_days >= policy.staleness.days:
        return Alarm(Cause.STALENESS, {"days": age_days})
    return _performance(window[window.index >= restarted], policy.performance) or _drift(window, policy.drift)


def _performance(window: pd.DataFrame, policy: Performance) -> Alarm | None:
    """Detect predictions that have been too high, or too low, for too long: a cumulative sum of the daily bias.

    Loss itself cannot tell: some weeks are hard for every model. Source: Page, "Continuous inspection
    schemes", Biometrika 41, 1954.
    """
    too_high = too_low = 0.0
    for bias in window.get("raw_bias", pd.Series(dtype=float)).dropna() / policy.daily_deviation:
        too_high = max(0.0, too_high + bias - policy.slack)
        too_low = max(0.0, too_low - bias - policy.slack)
    largest = max(too_high, too_low)
    if largest <= policy.threshold:
        return None
    direction = "too high" if too_high > too_low else "too low"
    return Alarm(Cause.PERFORMANCE, {"predictions": direction, "cumulative sum": round(largest, 1)})


def _drift(window: pd.DataFrame, policy: Drift) -> Alarm | None:
    """Detect instances unlike any the champion was trained on."""
    name = "out_of_range_share"
    if name not in window or len(last := window[name].dropna().tail(policy.days)) < policy.days:
        return None
    mean = float(last.mean())
    if mean <= policy.max_out_of_range_share:
        return None
    return Alarm(Cause.DRIFT, {name: round(mean, 2), "days": policy.days})


def hold_alarms(unreadable: str, skew: float, silent_days: int, policy: Guards) -> dict[Cause, Alarm]:
    """Return what keeps all trainings from starting, for as long as it is so.

    Args:
        unreadable: why today's published instances could not be examined; empty if they were.
        skew: share of the predictions that were made from other inputs than were published.
        silent_days: for how many days no outcome has landed.
        policy: the limits.
    """
    alarms: dict[Cause, dict[str, Any]] = {}
    if unreadable:
        alarms[Cause.UNREADABLE_FEED] = {"cannot be examined:": unreadable}
    if skew > policy.max_skew_share:
        alarms[Cause.SKEW] = {"share of predictions": round(skew, 2)}
    if silent_days > policy.max_silent_days:
        alarms[Cause.STALE_FEED] = {"days": silent_days}
    return {cause: Alarm(cause, evidence) for cause, evidence in alarms.items()}

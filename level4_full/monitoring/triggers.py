"""From what was measured to a reason for a new training, or for none until people have looked."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..delivery.experiment import deviation
from .guards import BACK, SUSPICIOUS

# In heavy rain and on still days these means jump a lot from one day to the next, and nothing is wrong.
RESTLESS = frozenset({"mean precip", "mean wind_gust", "missing wind_gust", "mean wind_dir", "missing wind_dir"})
MOST_WORDS = 3


@dataclass(frozen=True)
class Reason:
    """Why something should happen: its cause, and what was seen."""

    cause: str
    evidence: dict[str, Any]

    @property
    def seen(self) -> str:
        """Return the evidence in words, of much of it the first."""
        words = [f"{name} {value}" for name, value in self.evidence.items()]
        if (more := len(words) - MOST_WORDS) > 0:
            words[MOST_WORDS:] = [f"and {more} more"]
        return ", ".join(words)

    def __str__(self) -> str:
        """Say it in words."""
        return f"{self.cause} ({self.seen})"


def why_train(
    window: pd.DataFrame, new_flights: int, age_days: int, due: bool, policy: dict[str, Any]
) -> Reason | None:
    """Return the first cause for a training, or None.

    Args:
        window: the champion's measures `bias` and `beyond`, one row per day that it has served, oldest first.
        new_flights: how many flights have landed since the last training.
        age_days: how old the last training is.
        due: whether the schedule has a training today.
        policy: `retraining` in policy.yaml.
    """
    checks = (
        _performance(window, **policy["performance"]),
        _drift(window, **policy["drift"]),
        Reason("new_data", {"flights": new_flights, "days old": age_days})
        if new_flights >= policy["new_data"]["flights"]
        else None,
        Reason("staleness", {"days": age_days}) if age_days >= policy["staleness"]["days"] else None,
        Reason("schedule", {"days": age_days}) if due else None,
    )
    return next((reason for reason in checks if reason), None)


def _performance(window: pd.DataFrame, days: int, bias: float, sure: float) -> Reason | None:
    """Say too often, or too rarely, that flights will be late.

    Log loss itself cannot tell: stormy weeks are hard for every model. The days are what varies, not the flights,
    so the mean is held against the spread of its days; `sure` is Student's t, 2.45 is 5 % for seven days.
    """
    if "bias" not in window or len(last := window["bias"].dropna().tail(days)) < days:
        return None
    mean, error = float(last.mean()), float(last.std() / np.sqrt(days))
    if abs(mean) > bias and abs(mean) > sure * error:
        return Reason("performance", {"bias": round(mean, 3), "t": round(mean / error, 1), "days": days})
    return None


def _drift(window: pd.DataFrame, days: int, share: float) -> Reason | None:
    """See flights whose like the champion has never seen: a season's weather is news to it only once."""
    if "beyond" not in window or len(last := window["beyond"].dropna().tail(days)) < days:
        return None
    mean = float(last.mean())
    return Reason("drift", {"beyond": round(mean, 2), "days": days}) if mean > share else None


def why_hold(
    unmeasured: str, jumps: dict[str, float], skew: float, feed_days: int, policy: dict[str, Any]
) -> Reason | None:
    """Return why the feed itself is suspicious, or None: no model must learn from it until it is right again.

    Args:
        unmeasured: why the published flights could not be measured, if so.
        jumps: by measure, today's change against the largest one in what the champion learned from.
        skew: share of the answers that were given to other inputs than were published.
        feed_days: for how many days no outcome has landed.
        policy: `guards` in policy.yaml.
    """
    if unmeasured:
        return Reason(SUSPICIOUS, {"cannot be measured:": unmeasured})
    sudden = {
        name: round(jump, 1) for name, jump in jumps.items() if jump > policy["jump"] and name not in RESTLESS
    }
    if sudden:
        return Reason(SUSPICIOUS, dict(sorted(sudden.items(), key=lambda each: -each[1])))
    if skew > policy["skew"]:
        return Reason("skew", {"share of answers": round(skew, 2)})
    return Reason("stale feed", {"days": feed_days}) if feed_days > policy["feed_days"] else None


def why_resume(held: dict[str, Any], away: dict[str, float], policy: dict[str, Any]) -> Reason | None:
    """Return why a hold can end without people: all that had jumped is again where it was.

    Args:
        held: what was seen when the feed became suspicious.
        away: by measure, how far it is from where it was before that, in the unit of `jumps` in `why_hold`.
        policy: `guards` in policy.yaml.
    """
    if held and all(away.get(name, np.inf) <= policy["jump"] for name in held):
        return Reason(BACK, {name: round(away[name], 1) for name in held})
    return None


def why_roll_back(extra: np.ndarray, numbers: np.ndarray, policy: dict[str, Any]) -> Reason | None:
    """Return why the champion must go: the one before would have been far better on the very same flights.

    Args:
        extra: log loss of the champion minus that of the one before, flight by flight.
        numbers: each flight's number, as an integer from 0 on; a number is what repeats from day to day.
        policy: `rollback` in policy.yaml.
    """
    if len(extra) < policy["flights"]:
        return None
    mean = float(extra.mean())
    error = deviation(extra, numbers) / float(np.sqrt(len(extra)))
    if mean > policy["worse"] and mean > policy["sure"] * error:
        return Reason("sudden harm", {"extra log loss": round(mean, 3), "flights": len(extra)})
    return None

"""What to do about what was seen: retrain, hold, resume, roll back, or nothing; the policy says when."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .guards import HOLD, RESUME, RETRAIN, ROLL_BACK, Decision, gave_up, open_holds, why_wait
from .triggers import Reason, why_hold, why_resume, why_roll_back, why_train


@dataclass(frozen=True)
class Seen:
    """Everything a decision is made from."""

    day: str
    window: pd.DataFrame  # the champion's measures, one row per day that it has served
    jumps: dict[str, float]  # yesterday's change of each column, against the largest the champion knows
    away: dict[str, float]  # likewise its distance from the day before the open hold, if there is one
    skew: float  # share of yesterday's answers that the published flights do not give
    silent_days: int  # without an outcome
    extra: np.ndarray  # log loss of the champion minus that of the one before, on the last flights
    numbers: np.ndarray  # the number of each of these flights
    new_flights: int  # since the last training
    age_days: int  # of the last training
    due: bool  # by schedule
    on_trial: bool  # a challenger is being tried
    decisions: list[Decision]  # taken so far, oldest first
    unmeasured: str = ""  # why yesterday's published flights could not be measured, if so


def decide(seen: Seen, policy: dict[str, Any]) -> tuple[str, Reason] | str:
    """Return what to do and why, or in words why nothing is to be done."""
    if harm := why_roll_back(seen.extra, seen.numbers, policy["rollback"]):
        return ROLL_BACK, harm
    if doubt := _about_the_feed(seen, policy["guards"]):
        return doubt
    reason = why_train(seen.window, seen.new_flights, seen.age_days, seen.due, policy["retraining"])
    if reason is None:
        return "no alarm"
    if wait := why_wait(seen.decisions, seen.day, seen.on_trial, policy["guards"]):
        return f"{reason}, but {wait}"
    return RETRAIN, reason


def _about_the_feed(seen: Seen, policy: dict[str, Any]) -> tuple[str, Reason] | None:
    """Return whether trainings must be held, or may go on."""
    if held := open_holds(seen.decisions):
        back = why_resume(held[0]["evidence"], seen.away, policy)
        return (RESUME, back) if back else None
    if gave_up(seen.decisions, policy):
        return HOLD, Reason("failures", {"in a row": policy["failures_in_a_row"]})
    doubt = why_hold(seen.unmeasured, seen.jumps, seen.skew, seen.silent_days, policy)
    return (HOLD, doubt) if doubt else None

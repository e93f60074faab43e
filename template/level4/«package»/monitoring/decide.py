"""The decision of a day: retrain, hold, resume, or nothing; the policy says when."""

import calendar
from dataclasses import dataclass
from datetime import date

import pandas as pd

from ..config.policy import Guards, Policy
from .alarm import Alarm, Cause
from .dates import days_between
from .decisions import Action, Record
from .guards import failed_repeatedly, open_holds, reason_to_wait
from .triggers import hold_alarms, retraining_alarm


@dataclass(frozen=True)
class Observation:
    """The facts that a decision is made from."""

    day: str
    window: pd.DataFrame  # the champion's metrics, one row per day that it has served
    skew: float  # share of yesterday's predictions that the published instances do not give
    silent_days: int  # without an outcome
    new_instances: int  # since the last training
    age_days: int  # of the champion's newest data
    in_ab_test: bool  # there is a challenger
    decisions: list[Record]  # so far, oldest first
    unreadable: str = ""  # why today's published instances could not be examined, if so


@dataclass(frozen=True)
class Decision:
    """An action and the alarm that calls for it; an alarm with no action says what it waits for."""

    action: Action
    alarm: Alarm | None = None
    waits_for: str = ""

    def __str__(self) -> str:
        """Return the decision in words."""
        if self.alarm is None:
            return "no alarm"
        return f"{self.alarm}, but {self.waits_for}" if self.waits_for else f"{self.action}: {self.alarm}"


def decide(observation: Observation, policy: Policy) -> Decision:
    """Return the decision of the day: holds come first, then trainings."""
    if decision := _about_holds(observation, policy.guards):
        return decision
    alarm = _training_alarm(observation, policy)
    if alarm is None:
        return Decision(Action.NOTHING)
    action = Action.RETRAIN if alarm.cause in {Cause.STALENESS, Cause.NEW_DATA} else Action.REFIT
    if waits_for := reason_to_wait(observation.decisions, observation.day, observation.in_ab_test, policy.guards):
        return Decision(Action.NOTHING, alarm, waits_for)
    refits = [decision.day for decision in observation.decisions if decision.action is Action.REFIT]
    if (
        action is Action.REFIT
        and refits
        and days_between(refits[-1], observation.day) < policy.shadow.days_between
    ):
        return Decision(Action.NOTHING, alarm, f"a refit gained too little on {refits[-1]}")
    return Decision(action, alarm)


def _training_alarm(observation: Observation, policy: Policy) -> Alarm | None:
    """Return the alarm that asks for a training; on some weekdays the schedule does."""
    restarts = [decision.day for decision in observation.decisions if decision.cause is Cause.PERFORMANCE]
    alarm = retraining_alarm(
        observation.window,
        restarts[-1] if restarts else "",
        observation.new_instances,
        observation.age_days,
        policy.retraining,
    )
    weekday = date.fromisoformat(observation.day).weekday()
    if alarm is None and weekday in policy.shadow.weekdays:
        return Alarm(Cause.SCHEDULE, {"weekday": calendar.day_name[weekday]})
    return alarm


def _about_holds(observation: Observation, policy: Guards) -> Decision | None:
    """Return whether trainings must be held, or may go on: a hold ends as soon as its own cause is gone."""
    alarms = hold_alarms(observation.unreadable, observation.skew, observation.silent_days, policy)
    if failed_repeatedly(observation.decisions, policy):
        alarms[Cause.FAILURES] = Alarm(Cause.FAILURES, {"in a row": policy.max_failures_in_a_row})
    holds = {hold.cause: hold for hold in open_holds(observation.decisions)}
    for cause, hold in holds.items():
        days = days_between(hold.day, observation.day)
        if cause not in alarms and (cause is not Cause.FAILURES or days >= policy.retry_days):
            return Decision(Action.RESUME, Alarm(Cause.RECOVERED, {"hold": hold.id, "days": days}))
    new = [alarm for cause, alarm in alarms.items() if cause not in holds]
    return Decision(Action.HOLD, new[0]) if new else None

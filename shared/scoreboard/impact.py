"""The impact of an incident: the year with it against the same level's year without, in a period of days."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from ..simulation.event_log import Event
from ..world.faults import Outcome
from ..world.incidents import Incident
from ..world.period import Period
from .result import Result

WRONG_BY = 0.1  # an answer this far from the one of the calm year is a wrong one, on a day that was worse
HARMED_DAY = 0.02  # a day is a bad one when this share of its flights is harmed
DAYS_BEFORE = 7  # the share of wrong answers in the days before an incident is what earlier ones left behind
MIN_HARMED = 0.005  # of the flights of a period: with less, two models merely differ
SIGNS_OF_TROUBLE = ("failed step", "no answers", "alarm", "wrong answers")


def periods(incidents: list[Incident], last: date) -> dict[str, Period]:
    """Return the days counted to each injected incident: from its first until the next one begins."""
    injected = [incident for incident in incidents if not incident.natural]
    ends = [incident.first - timedelta(days=1) for incident in injected[1:]] + [last]
    return {incident.id: Period(incident.first, end) for incident, end in zip(injected, ends, strict=True)}


def incident(result: Result, calm: Result, period: Period) -> dict[str, Any]:
    """Return the impact of an incident in its period, against the same days of the calm year."""
    impact = _between(result, calm, period)
    before = Period(period.first - timedelta(days=DAYS_BEFORE), period.first - timedelta(days=1))
    week = _between(result, calm, before).sum()
    left = float(week["wrong"] / max(1, week["flights"]))
    new = _events_of(result, calm, period)
    by_machine = [event["day"] for event in new if event["event"] in ("alarm", "withdrawn")]
    signs = [event for event in new if event["event"] == "sign" and event["kind"] in SIGNS_OF_TROUBLE]
    by_people = [sign["noticed"] for sign in signs]
    flights = int(impact["flights"].sum())
    harmed = float(_caused(impact.sum(), left) / max(1, flights))
    recovered = _recovery(impact, period, left)
    end = str(period.last if recovered is None else period.first + timedelta(days=recovered))
    steps = [event for event in new if event["event"] == "step" and event["why"] and event["day"] <= end]
    return {
        "outcome": _outcome(new, harmed, by_machine, by_people),
        "noticed_by_machine": _days(by_machine, period.first),
        "noticed_by_people": _days(by_people, period.first),
        "days_to_notice": _days(by_machine + by_people, period.first),
        "days_to_recover": recovered,
        "human_steps_to_recover": len(steps),
        "flights_unanswered": int(impact["unanswered"].sum()),
        "flights_harmed": int(impact["harmed"].sum()),
        "flights_left_harmed": round(left * flights),
        "excess_log_loss": round(float(impact["excess"].sum() / max(1, impact["judged"].sum())), 4),
        "from": str(period.first),
        "to": str(period.last),
    }


def _between(result: Result, calm: Result, period: Period) -> pd.DataFrame:
    inside = result.flights["day"].between(str(period.first), str(period.last))
    return by_day(result.flights[inside], calm.flights.loc[result.flights.index[inside]])


def _events_of(result: Result, calm: Result, period: Period) -> list[Event]:
    """Return the events of a period that did not happen in the calm year."""
    usual = {_key(event) for event in calm.event_log.events}
    inside = [event for event in result.event_log.events if str(period.first) <= event["day"] <= str(period.last)]
    return [event for event in inside if _key(event) not in usual]


def _key(event: Event) -> tuple[Any, ...]:
    return event["day"], event["event"], event.get("kind"), event.get("why"), event.get("id")


def _caused(impact: Any, left: float) -> Any:
    """Return the flights harmed, of each day or of a sum, but for a share of wrong answers left by others."""
    return impact["unanswered"] + np.maximum(impact["wrong"] - left * impact["flights"], 0)


def by_day(table: pd.DataFrame, calm: pd.DataFrame) -> pd.DataFrame:
    """Return by day: flights unanswered, flights answered wrongly, and the excess log loss.

    An answer is wrong that is far from the calm year's, on a day whose answers as a whole are worse than there.
    """
    both = table["loss"].notna() & calm["loss"].notna()
    excess = (table["loss"] - calm["loss"]).where(both, 0.0)
    is_worse = excess.groupby(table["day"]).transform("sum") > 0
    wrong = ((table["answer"] - calm["answer"]).abs() > WRONG_BY) & is_worse
    by_flight = pd.DataFrame(
        {
            "unanswered": (table["answer"].isna() & calm["answer"].notna()).astype(int),
            "wrong": wrong.astype(int),
            "excess": excess,
            "judged": both.astype(int),
            "flights": 1,
        }
    )
    days = by_flight.groupby(table["day"]).sum()
    return days.assign(harmed=days["unanswered"] + days["wrong"])


def _recovery(impact: pd.DataFrame, period: Period, left: float) -> int | None:
    """Return the days until, for good, less than a fiftieth more was harmed than before; None: not in time."""
    bad = impact.index[_caused(impact, left) > HARMED_DAY * impact["flights"]]
    if not len(bad):
        return 0
    end = date.fromisoformat(str(bad[-1])) + timedelta(days=1)
    return (end - period.first).days if end <= period.last else None


def _outcome(new: list[Event], harmed: float, by_machine: list[str], by_people: list[str]) -> str:
    outcomes = {event.get("outcome") for event in new if event["event"] == "incident"}
    if Outcome.NOT_APPLICABLE in outcomes:
        return "does not apply"
    if Outcome.REFUSED in outcomes:
        return "prevented"
    if harmed < MIN_HARMED:
        return "prevented" if by_machine else "no harm"
    if by_machine and (not by_people or min(by_machine) <= min(by_people)):
        return "noticed by the machine"
    return "noticed by people" if by_people else "never noticed"


def _days(days: list[str], first: date) -> int | None:
    return (date.fromisoformat(min(days)) - first).days if days else None

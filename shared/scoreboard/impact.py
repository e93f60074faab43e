"""What an incident did: the year with it against the same level's year without, in a window of days."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from ..simulation.event_log import Event
from ..world.incidents import Incident
from .result import Played

WRONG_BY = 0.1  # an answer this far from the one of the calm year is a wrong one, on a day that was worse
HARMED_DAY = 0.02  # a day is a bad one when this share of its flights is harmed
DAYS_BEFORE = 7  # the share of wrong answers in the days before an incident is what earlier ones left behind
FEWEST_HARMED = 0.005  # of the flights of a window: with less, two models merely differ
SIGNS_OF_TROUBLE = ("failed step", "no answers", "alarm", "wrong answers")


def windows(incidents: list[Incident], last: date) -> dict[str, tuple[date, date]]:
    """Return the days counted to each planted incident: from its first until the next one begins."""
    planted = [each for each in incidents if not each.natural]
    ends = [each.first - timedelta(days=1) for each in planted[1:]] + [last]
    return {each.id: (each.first, end) for each, end in zip(planted, ends, strict=True)}


def incident(played: Played, calm: Played, first: date, last: date) -> dict[str, Any]:
    """Return what an incident did in its window, against the same days of the calm year."""
    harm = _between(played, calm, first, last)
    week = _between(played, calm, first - timedelta(days=DAYS_BEFORE), first - timedelta(days=1)).sum()
    left = float(week["wrong"] / max(1, week["flights"]))
    new = [each for each in played.ledger.events if str(first) <= each["day"] <= str(last)]
    usual = {_key(each) for each in calm.ledger.events}
    new = [each for each in new if _key(each) not in usual]
    by_machine = [each["day"] for each in new if _is_machine(each)]
    by_people = [each["noticed"] for each in new if each["event"] == "sign" and each["of"] in SIGNS_OF_TROUBLE]
    recovered = _recovery(harm, first, last, left)
    ended = str(first + timedelta(days=recovered)) if recovered is not None else str(last)
    steps = [each for each in new if each["event"] == "step" and each["why"] and each["day"] <= ended]
    return {
        "outcome": _outcome(
            new, float(_caused(harm.sum(), left) / max(1, harm["flights"].sum())), by_machine, by_people
        ),
        "noticed_by_machine": _days(by_machine, first),
        "noticed_by_people": _days(by_people, first),
        "days_to_notice": _days(by_machine + by_people, first),
        "days_to_recover": recovered,
        "human_steps_to_recover": len(steps),
        "flights_unanswered": int(harm["unanswered"].sum()),
        "flights_harmed": int(harm["harmed"].sum()),
        "flights_left_harmed": round(left * int(harm["flights"].sum())),
        "extra_log_loss": round(float(harm["extra"].sum() / max(1, harm["judged"].sum())), 4),
        "from": str(first),
        "to": str(last),
    }


def _between(played: Played, calm: Played, first: date, last: date) -> pd.DataFrame:
    inside = played.flights["day"].between(str(first), str(last))
    return harm_of(played.flights[inside], calm.flights.loc[played.flights.index[inside]])


def _caused(harm: Any, left: float) -> Any:
    """Return the flights harmed, of each day or of a sum, but for a share of wrong answers left by others."""
    return harm["unanswered"] + np.maximum(harm["wrong"] - left * harm["flights"], 0)


def harm_of(table: pd.DataFrame, calm: pd.DataFrame) -> pd.DataFrame:
    """Return by day: flights unanswered, flights answered wrongly, and the log loss added.

    An answer is wrong that is far from the calm year's, on a day whose answers as a whole are worse than there.
    """
    both = table["loss"].notna() & calm["loss"].notna()
    unanswered = table["answer"].isna() & calm["answer"].notna()
    worse = (table["loss"] - calm["loss"]).where(both, 0.0).groupby(table["day"]).transform("sum") > 0
    wrong = ((table["answer"] - calm["answer"]).abs() > WRONG_BY) & worse
    by_flight = pd.DataFrame(
        {
            "unanswered": unanswered.astype(int),
            "wrong": wrong.astype(int),
            "extra": (table["loss"] - calm["loss"]).where(both, 0.0),
            "judged": both.astype(int),
            "flights": 1,
        }
    )
    days = by_flight.groupby(table["day"]).sum()
    return days.assign(harmed=days["unanswered"] + days["wrong"])


def _recovery(harm: pd.DataFrame, first: date, last: date, left: float) -> int | None:
    """Return the days until, for good, less than a fiftieth more was harmed than before; None: not in time."""
    bad = harm.index[_caused(harm, left) > HARMED_DAY * harm["flights"]]
    if not len(bad):
        return 0
    end = date.fromisoformat(str(bad[-1])) + timedelta(days=1)
    return (end - first).days if end <= last else None


def _outcome(new: list[Event], harmed: float, by_machine: list[str], by_people: list[str]) -> str:
    if any(each["event"] == "incident" and each["says"].startswith(("there is no", "nothing")) for each in new):
        return "does not apply"
    if any("refused" in each["says"] for each in new if each["event"] == "incident"):
        return "prevented"
    if harmed < FEWEST_HARMED:
        return "prevented" if by_machine else "no harm"
    if by_machine and (not by_people or min(by_machine) <= min(by_people)):
        return "noticed by the machine"
    return "noticed by people" if by_people else "never noticed"


def _is_machine(event: Event) -> bool:
    return event["event"] in ("alarm", "withdrawn")


def _key(event: Event) -> tuple[Any, ...]:
    return event["day"], event["event"], event.get("of"), event.get("why"), event.get("id")


def _days(found: list[str], first: date) -> int | None:
    return (date.fromisoformat(min(found)) - first).days if found else None

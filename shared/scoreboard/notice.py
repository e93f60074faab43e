"""Who noticed an incident, when, and what came of it: from the events that the calm year does not have."""

from datetime import date, timedelta
from typing import Any

from ..simulation.event_log import Event
from ..world.faults import Outcome
from ..world.period import Period
from .result import Result

SIGNS_OF_TROUBLE = ("failed step", "no answers", "alarm", "wrong answers")


def events_of(result: Result, calm: Result, period: Period) -> list[Event]:
    """Return the events of a period that did not happen in the calm year."""
    usual = {_key(event) for event in calm.event_log.events}
    inside = [event for event in result.event_log.events if str(period.first) <= event["day"] <= str(period.last)]
    return [event for event in inside if _key(event) not in usual]


def _key(event: Event) -> tuple[Any, ...]:
    return event["day"], event["event"], event.get("kind"), event.get("why"), event.get("id")


def noticed(new: list[Event], period: Period, recovered: int | None) -> dict[str, int | None]:
    """Return the days until machine and people noticed, and how many steps people took until it was over."""
    machine, people = _by_machine(new), _by_people(new)
    end = str(period.last if recovered is None else period.first + timedelta(days=recovered))
    steps = [event for event in new if event["event"] == "step" and event["why"] and event["day"] <= end]
    return {
        "noticed_by_machine": _days(machine, period.first),
        "noticed_by_people": _days(people, period.first),
        "days_to_notice": _days(machine + people, period.first),
        "human_steps_to_recover": len(steps),
    }


def _by_machine(new: list[Event]) -> list[str]:
    return [event["day"] for event in new if event["event"] in ("alarm", "withdrawn")]


def _by_people(new: list[Event]) -> list[str]:
    signs = [event for event in new if event["event"] == "sign" and event["kind"] in SIGNS_OF_TROUBLE]
    return [sign["noticed"] for sign in signs]


def outcome_of(new: list[Event], harmful: bool) -> str:
    """Return what came of an incident, in a word or two."""
    outcomes = {event.get("outcome") for event in new if event["event"] == "incident"}
    by_machine, by_people = _by_machine(new), _by_people(new)
    if Outcome.NOT_APPLICABLE in outcomes:
        return "does not apply"
    if Outcome.REFUSED in outcomes:
        return "prevented"
    if not harmful:
        return "prevented" if by_machine else "no harm"
    if by_machine and (not by_people or min(by_machine) <= min(by_people)):
        return "noticed by the machine"
    return "noticed by people" if by_people else "never noticed"


def _days(days: list[str], first: date) -> int | None:
    return (date.fromisoformat(min(days)) - first).days if days else None

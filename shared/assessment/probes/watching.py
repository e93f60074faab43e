"""Is what surrounds a model watched: skew, freshness, changes upstream, speed, bias?"""

import json
import re
import sqlite3
from contextlib import closing

from ...stack.stage import Event
from ..scenario.context import Context, in_facts
from ..scenario.scenario import ALARMS, Scenario
from ..scenario.watched_days import NEW_NAME, STUCK
from .probe import Finding, absent, holds, manual, present, probe

MAX_TRAININGS = 4  # within the days of the faults, which are less than a month


@probe("MON-06")
def skew_alarm(scenario: Scenario) -> Finding:
    """The day after callers sent other temperatures than were published, an alarm says so, and none did before."""
    return _alarm_on(scenario.watched_days.next_day, scenario.watched_days.same_day, r"skew", "other inputs")


@probe("MON-08")
def changes_are_announced(scenario: Scenario) -> Finding:
    """What the upstream has announced is named with its owner; or else people find in the report what changed."""
    events = scenario.watched_days.same_day
    named = [line for line in in_facts(events) if NEW_NAME in line and "owner" in line]
    again = [line for line in in_facts(scenario.watched_days.next_day) if NEW_NAME in line]
    if named and not again:
        return present(f"the morning it was announced, once: {named[0][:200]}")
    context = scenario.context
    for run in reversed(context.tracking.runs()):
        changed = json.loads(context.tracking.artifact(run["run_id"], "report.json") or "{}").get("changed")
        if changed and {"packages", "columns"} <= changed.keys():
            return manual(
                f"the report of run {run['run_id'][:8]} says what differs from the champion's: {changed}"
            )
    return absent("an announced change is in no event, and no report of a training compares packages or columns")


@probe("MON-09")
def service_alarm(scenario: Scenario) -> Finding:
    """The day after requests were slow an alarm names the latency, and none did before."""
    watched = scenario.watched_days
    return _alarm_on(watched.next_day, watched.same_day, r"p95|latency|duration", "slow requests")


@probe("MON-10")
def bias_alarm(scenario: Scenario) -> Finding:
    """While flights arrived later an alarm named a slice, none did before, and trainings stayed few."""
    slices = r"bias.*\b(EWR|JFK|LGA)\b"
    before = [event for day in scenario.days for event in day.events]
    trainings = scenario.faults.trained
    if trainings > MAX_TRAININGS:
        return absent(f"{trainings} trainings without people on {len(scenario.faults.days)} days of faults")
    return _alarm_on(scenario.faults.events, before, slices, f"one slice, with {trainings} trainings")


@probe("MON-11")
def freshness_alarm(scenario: Scenario) -> Finding:
    """The morning a station was stuck an alarm named it, the next one none did, and ages are kept by day."""
    found = _alarm_on(
        scenario.watched_days.same_day, scenario.watched_days.next_day, rf"fresh.*{STUCK}", "old data"
    )
    kept = _days_with(scenario.context, r"observation|outcome")
    return found if len(kept) > 2 else absent(f"{found.seen}; no store has ages for more than {len(kept)} days")


@probe("VAL-09")
def offline_against_online(scenario: Scenario) -> Finding:
    """A store has the log loss of one model offline and online, on three days at least."""
    days = _days_with(scenario.context, "offline") & _days_with(scenario.context, "online")
    seen = f"log loss offline and online, of {len(days)} days: {', '.join(sorted(days)[:3])}"
    return holds(len(days) >= 3, seen, "no store has log loss offline beside online")


def _alarm_on(faulty: list[Event], fine: list[Event], about: str, what: str) -> Finding:
    """Tell whether an alarm was raised on the faulty days, and none on those that were fine."""
    faults, false = (
        [line for line in in_facts([event for event in events if event.kind in ALARMS]) if re.search(about, line)]
        for events in (faulty, fine)
    )
    if false:
        return absent(f"an alarm about {what} also without: {false[0][:200]}")
    return holds(bool(faults), f"an alarm about {what}: {(faults or [''])[0][:200]}", f"no alarm about {what}")


def _days_with(context: Context, name: str) -> set[str]:
    """Return the days for which some metrics store of the stage has a metric of such a name."""
    days: set[str] = set()
    for path in context.files():
        if path.name == "metrics.db":
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
                days |= {
                    day
                    for day, metric in store.execute("SELECT day, name FROM metrics")
                    if re.search(name, metric)
                }
    return days

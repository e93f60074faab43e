"""Does production itself start a better model, within bounds?"""

import json
from typing import Any

from ..scenario.scenario import METRIC_TRIGGERS, Scenario
from .governance import released_because
from .probe import Finding, absent, holds, present, probe

MAX_RUNS = 2  # by a metric, in three weeks of one and the same fault


@probe("RET-01")
def metrics_start_training(scenario: Scenario) -> Finding:
    """A training was started by what was measured in production, and its model was certified."""
    context, faults = scenario.context, scenario.faults
    runs = [run for run in faults.triggered if run["tags"]["trigger"] in METRIC_TRIGGERS]
    certified = [run for run in runs if context.tracking.artifact(run["run_id"], "certificate.json")]
    days = f"{len(faults.days)} days of faults without schedule, code or people"
    seen = f"{days}: {_named(runs) or 'no training'} by a metric, {len(certified)} of them put before the gates"
    return holds(bool(certified), seen, seen)


def _named(runs: list[dict[str, Any]]) -> str:
    return ", ".join(f"{run['tags']['trigger']} {run['run_id'][:8]}" for run in runs)


@probe("RET-02")
def new_data_starts_training(scenario: Scenario) -> Finding:
    """Some training was started because enough new labelled data had come."""
    runs = [run for run in scenario.context.tracking.runs() if run["tags"].get("trigger") == "new_data"]
    return holds(
        bool(runs),
        f"run {runs[0]['run_id'] if runs else ''} by new_data",
        f"{len(scenario.context.tracking.runs())} runs, none by new_data",
    )


@probe("RET-03")
def guards_hold(scenario: Scenario) -> Finding:
    """Faults that go on start few trainings, and none finishes on data that breaks the schema."""
    faults = scenario.faults
    if not faults.triggered:
        return absent("nothing starts trainings by itself, so nothing holds them back")
    broken = faults.runs_on_broken
    seen = f"{_named(faults.triggered)} in all; {broken} finished on a broken schema"
    few = sum(run["tags"]["trigger"] in METRIC_TRIGGERS for run in faults.triggered) <= MAX_RUNS
    return holds(few and broken == 0, seen, seen)


@probe("RET-04")
def people_are_asked(scenario: Scenario) -> Finding:
    """What the loop cannot settle becomes a file for people, and trainings wait for them."""
    faults = scenario.faults
    held = [event for event in faults.events if event.kind == "held"]
    written = ", ".join(faults.issues) or "no issue"
    seen = f"{written} is written for people; {held[0].text[:160] if held else 'nothing is held'}"
    return holds(bool(faults.issues) and bool(held), seen, seen)


@probe("RET-05")
def one_id(scenario: Scenario) -> Finding:
    """An id that is in an alarm is also on the version that came of it, with its certificate and its release."""
    alarms = "\n".join([*scenario.faults.alarms, *_events(scenario)])
    for number, tags in scenario.context.tracking.versions().items():
        ids = [value for name, value in tags.items() if name not in ("run_id", "source") and len(value) >= 8]
        for value in ids:
            if value in alarms and "certificate" in tags and released_because(tags):
                return present(f"{value} is on the alarm and on version {number}, which is certified and released")
    return absent("no id leads from an alarm to a release")


def _events(scenario: Scenario) -> list[str]:
    """Return all events that are not the orchestrator's own."""
    events = scenario.context.pipeline("events", limit=50, filter={"event": {"exclude_prefix": ["prefect."]}})
    return [json.dumps(event) for event in events]

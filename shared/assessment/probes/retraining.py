"""Does production itself start a better model, within bounds?"""

import json
from typing import Any

from ..scenario.scenario import METRIC_TRIGGERS, Played
from .governance import released_because
from .probe import Finding, absent, holds, present, probe

MOST_RUNS = 2  # by a measure, in three weeks of one and the same trouble


@probe("RET-01")
def metrics_start_training(played: Played) -> Finding:
    """A training was started by what was measured in production, and its model was certified."""
    scene, trouble = played.scene, played.trouble
    runs = [run for run in trouble.triggered if run["tags"]["trigger"] in METRIC_TRIGGERS]
    certified = [run for run in runs if scene.artifact(run["run_id"], "certificate.json")]
    days = f"{len(trouble.said)} days of trouble without schedule, code or people"
    says = f"{days}: {_named(runs) or 'no training'} by a measure, {len(certified)} of them put before the gates"
    return holds(bool(certified), says, says)


def _named(runs: list[dict[str, Any]]) -> str:
    return ", ".join(f"{run['tags']['trigger']} {run['run_id'][:8]}" for run in runs)


@probe("RET-02")
def new_data_starts_training(played: Played) -> Finding:
    """Some training was started because enough new labelled data had come."""
    runs = [run for run in played.scene.runs() if run["tags"].get("trigger") == "new_data"]
    return holds(
        bool(runs),
        f"run {runs[0]['run_id'] if runs else ''} by new_data",
        f"{len(played.scene.runs())} runs, none by new_data",
    )


@probe("RET-03")
def guards_hold(played: Played) -> Finding:
    """Trouble that goes on starts few trainings, and none finishes on data that breaks the schema."""
    trouble = played.trouble
    if not trouble.triggered:
        return absent("nothing starts trainings by itself, so nothing holds them back")
    broken = trouble.runs_on_broken
    says = f"{_named(trouble.triggered)} in all; {broken} finished on a broken schema"
    few = sum(run["tags"]["trigger"] in METRIC_TRIGGERS for run in trouble.triggered) <= MOST_RUNS
    return holds(few and broken == 0, says, says)


@probe("RET-04")
def people_are_asked(played: Played) -> Finding:
    """What the loop cannot settle becomes a file for people, and trainings wait for them."""
    trouble = played.trouble
    waits = [line for line in trouble.said if "no training until" in line]
    written = ", ".join(trouble.issues) or "no issue"
    says = f"{written} is written for people; {waits[0][:160] if waits else 'nothing waits'}"
    return holds(bool(trouble.issues) and bool(waits), says, says)


@probe("RET-05")
def one_id(played: Played) -> Finding:
    """An id that is in an alarm is also on the version that came of it, with its certificate and its release."""
    alarms = "\n".join([*played.trouble.alarms, *_events(played)])
    for number, tags in played.scene.versions().items():
        ids = [value for name, value in tags.items() if name not in ("run_id", "source") and len(value) >= 8]
        for value in ids:
            if value in alarms and "certificate" in tags and released_because(tags):
                return present(f"{value} is on the alarm and on version {number}, which is certified and released")
    return absent("no id leads from an alarm to a release")


def _events(played: Played) -> list[str]:
    """Return all events that are not the orchestrator's own."""
    events = played.scene.pipeline("events", limit=50, filter={"event": {"exclude_prefix": ["prefect."]}})
    return [json.dumps(event) for event in events]

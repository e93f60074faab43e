"""Is a model measured once it serves, and does an alarm come when it goes wrong?"""

import re

from ..scenario.context import CLIENT, Context, in_facts, in_words
from ..scenario.scenario import Scenario
from .probe import Finding, holds, probe

RESOURCES = ("process_cpu_seconds_total", "process_resident_memory_bytes")
TRAFFIC = ("http_request_duration", "http_requests_total")
ABOUT_THE_MODEL = re.compile(r"log.loss|drift|calibrat|auc\b|quality|score|stale|age of", re.IGNORECASE)
ABOUT_A_MODEL = {"reviewed", "promoted", "withdrawn", "checked"}  # kinds of events
KINDS_OF_METRIC = {
    "inputs": re.compile(r"drift|missing|distribution", re.IGNORECASE),
    "predictions": re.compile(r"prediction|late_probability", re.IGNORECASE),
    "quality": re.compile(r"log.?loss|calibration|auc", re.IGNORECASE),
    "latency": re.compile(r"latency|duration|p95", re.IGNORECASE),
    "model": re.compile(r"flight-delays/\d|model_version|champion", re.IGNORECASE),
}
OTHER_STORES = {"data", "runs", "artifacts", "remote", "snapshots", "prefect", "logs", "app", "serving", "bentoml"}


def measured(context: Context) -> str:
    """Return what /metrics says; empty where there is none."""
    if "PORT" not in context.stage.environment:
        return ""
    answer = CLIENT.get(context.stage.fill("http://127.0.0.1:${PORT}/metrics"))
    return answer.text if answer.is_success else ""


@probe("MON-01")
def heard_of_no_more(scenario: Scenario) -> Finding:
    """In all days, with faults and without, nothing was reported about how the model does."""
    days = [day.events for day in scenario.days] + scenario.faults.days
    events = [event for day in days for event in day]
    reports = in_facts([event for event in events if event.kind in ABOUT_A_MODEL])
    reports += [line for line in in_facts(events) if ABOUT_THE_MODEL.search(line)]
    reports += [*scenario.faults.alarms]
    reports += [line for line in measured(scenario.context).splitlines() if ABOUT_THE_MODEL.search(line)]
    faulty = f"the last {len(scenario.faults.days)} with later arrivals and °C"
    nothing = f"{len(days)} days, {faulty}: nothing is reported about the model"
    return holds(not reports, nothing, f"reported: {(reports or [''])[0][:200]}")


@probe("MON-02")
def operations_are_measured(scenario: Scenario) -> Finding:
    """The service has series about processor, memory and requests."""
    text = measured(scenario.context)
    series = [name for name in (*RESOURCES, *TRAFFIC) if name in text]
    enough = all(name in text for name in RESOURCES) and any(name in text for name in TRAFFIC)
    return holds(enough, f"/metrics has {', '.join(series)}", f"/metrics has {', '.join(series) or 'nothing'}")


@probe("MON-03")
def one_store(scenario: Scenario) -> Finding:
    """One folder holds metrics of every kind, outside of the training runs."""
    context = scenario.context
    folders: dict[str, set[str]] = {}
    for path in context.files():
        top = context.short(path).partition("/")[0]
        if top not in OTHER_STORES and not path.name.endswith(("-wal", "-shm")):  # which may be gone
            text = path.read_bytes().decode(errors="replace")
            folders.setdefault(top, set()).update(
                kind for kind, words in KINDS_OF_METRIC.items() if words.search(text)
            )
    best = max(folders, key=lambda name: len(folders[name]), default="")
    kinds = folders.get(best, set())
    seen = f"{best or 'no folder'} holds {', '.join(sorted(kinds)) or 'nothing'}"
    whole = kinds >= set(KINDS_OF_METRIC) and best not in ("mlflow.db", "predictions.db")
    return holds(whole, seen, f"no store of all metrics; the nearest: {seen}", best)


@probe("MON-04")
def quality_alarm(scenario: Scenario) -> Finding:
    """While every flight arrived later than it would have, an alarm was about quality."""
    return _alarm(
        scenario, re.compile(r"performance|quality|log.?loss|calibration", re.IGNORECASE), "the quality of answers"
    )


@probe("MON-05")
def drift_alarm(scenario: Scenario) -> Finding:
    """While temperatures came in °C an alarm named temp."""
    return _alarm(scenario, re.compile(r"\btemp\b"), "temp")


def _alarm(scenario: Scenario, about: "re.Pattern[str]", what: str) -> Finding:
    alarms = [alarm for alarm in scenario.faults.alarms if about.search(alarm)]
    days = len(scenario.faults.days)
    return holds(
        bool(alarms),
        f"an alarm within {days} days of faults: {(alarms or [''])[0][:200]}",
        f"{days} days of faults, no alarm about {what}",
    )


@probe("MON-07")
def age_is_watched(scenario: Scenario) -> Finding:
    """When weeks go by without a new model, an event reports that this one is old."""
    events = scenario.faults.aged
    reported = any(re.search(r"stale|\bage\b|\bold\b", line) for line in in_facts(events))
    words = in_words(events)
    return holds(reported, f"weeks later: {words[:160]}", f"weeks later nothing reports its age: {words[:120]}")

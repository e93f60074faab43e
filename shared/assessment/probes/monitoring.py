"""Is a model heard of again once it serves, and does anybody say when it goes wrong?"""

import re

from ..scenario.context import CLIENT, Scene
from ..scenario.scenario import Played
from .probe import Finding, holds, probe

RESOURCES = ("process_cpu_seconds_total", "process_resident_memory_bytes")
TRAFFIC = ("http_request_duration", "http_requests_total")
ABOUT_THE_MODEL = re.compile(r"log.loss|ahead by|drift|calibrat|auc\b|quality|score|stale|age of", re.IGNORECASE)
KINDS_OF_MEASURE = {
    "inputs": re.compile(r"drift|missing|distribution", re.IGNORECASE),
    "predictions": re.compile(r"prediction|late_probability", re.IGNORECASE),
    "quality": re.compile(r"log.?loss|calibration|auc", re.IGNORECASE),
    "latency": re.compile(r"latency|duration|p95", re.IGNORECASE),
    "model": re.compile(r"flight-delays/\d|model_version|champion", re.IGNORECASE),
}
OTHER_STORES = {"data", "runs", "artifacts", "remote", "snapshots", "prefect", "logs", "app", "serving", "bentoml"}


def measured(scene: Scene) -> str:
    """Return what /metrics says; empty where there is none."""
    if "PORT" not in scene.stage.environment:
        return ""
    answer = CLIENT.get(scene.stage.fill("http://127.0.0.1:${PORT}/metrics"))
    return answer.text if answer.is_success else ""


@probe("MON-01")
def heard_of_no_more(played: Played) -> Finding:
    """In all days, with trouble and without, no word was said about how the model does."""
    said = [day.said for day in played.seen] + played.trouble.said
    words = [line for line in said if ABOUT_THE_MODEL.search(line)] + played.trouble.alarms
    series = [line for line in measured(played.scene).splitlines() if ABOUT_THE_MODEL.search(line)]
    nothing = (
        f"{len(said)} days, the last {len(played.trouble.said)} with turned labels and °C: not a "
        "word about the model"
    )
    return holds(not words and not series, nothing, f"heard of: {(words + series + [''])[0][:200]}")


@probe("MON-02")
def operations_are_measured(played: Played) -> Finding:
    """The service has series about processor, memory and requests."""
    text = measured(played.scene)
    found = [name for name in (*RESOURCES, *TRAFFIC) if name in text]
    enough = all(name in text for name in RESOURCES) and any(name in text for name in TRAFFIC)
    return holds(enough, f"/metrics has {', '.join(found)}", f"found {', '.join(found) or 'no metrics'}")


@probe("MON-03")
def one_store(played: Played) -> Finding:
    """One folder holds measures of every kind, outside of the training runs."""
    scene = played.scene
    folders: dict[str, set[str]] = {}
    for path in scene.files():
        top = scene.short(path).partition("/")[0]
        if top not in OTHER_STORES:
            text = path.read_bytes().decode(errors="replace")
            folders.setdefault(top, set()).update(
                kind for kind, words in KINDS_OF_MEASURE.items() if words.search(text)
            )
    best = max(folders, key=lambda name: len(folders[name]), default="")
    kinds = folders.get(best, set())
    says = f"{best or 'no folder'} holds {', '.join(sorted(kinds)) or 'nothing'}"
    whole = kinds >= set(KINDS_OF_MEASURE) and best not in ("mlflow.db", "predictions.db")
    return holds(whole, says, f"no store of all measures; the nearest: {says}", best)


@probe("MON-04")
def quality_alarm(played: Played) -> Finding:
    """While every flight arrived later than it would have, an alarm spoke of quality."""
    return _alarm(
        played, re.compile(r"performance|quality|log.?loss|calibration", re.IGNORECASE), "the quality of answers"
    )


@probe("MON-05")
def drift_alarm(played: Played) -> Finding:
    """While temperatures came in °C an alarm named temp."""
    return _alarm(played, re.compile(r"\btemp\b"), "temp")


def _alarm(played: Played, about: "re.Pattern[str]", what: str) -> Finding:
    found = [alarm for alarm in played.trouble.alarms if about.search(alarm)]
    days = len(played.trouble.said)
    return holds(
        bool(found),
        f"an alarm within {days} days of trouble: {[*found, ''][0][:200]}",
        f"{days} days of trouble, no alarm about {what}",
    )


@probe("MON-07")
def age_is_watched(played: Played) -> Finding:
    """When weeks go by without a new model, somebody says that this one is old."""
    said = played.trouble.aged
    return holds(
        bool(re.search(r"stale|\bage\b|\bold\b", said)),
        f"weeks later: {said[:160]}",
        f"weeks later nobody speaks of age: {said[:120]}",
    )

"""Can what serves be followed back, and is each release accounted for?"""

import hashlib
import json
import re
from pathlib import Path

from ..scenario.context import Context
from ..scenario.scenario import Scenario
from ..scenario.uncertified_model import answers
from .probe import Finding, absent, holds, probe
from .release import digest_served

A_TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d")


@probe("GOV-01")
def model_leads_back(scenario: Scenario) -> Finding:
    """The registered model that serves names a run; the run names code, data and environment."""
    context = scenario.context
    number = context.tracking.aliases().get("champion", "")
    version = context.tracking.versions().get(number)
    if version is None:
        return absent("what serves is a file that names nothing")
    (run,) = (
        (run for run in context.tracking.runs() if run["run_id"] == version["run_id"])
        if version["run_id"]
        else ({"tags": {}},)
    )
    named = {name: run["tags"].get(name, "") for name in ("commit", "snapshot", "lock")}
    seen = (
        f"version {number} > run {version['run_id'][:8]} > "
        f"{', '.join(f'{name} {value[:12]}' for name, value in named.items())}"
    )
    return holds(all(named.values()), seen, seen)


@probe("GOV-02")
def answer_leads_back(scenario: Scenario) -> Finding:
    """Follow one answer by hand: digest, certificate, run, snapshot, raw file; each hash computed again."""
    context, day = scenario.context, scenario.days[-1].day
    if "PORT" not in context.stage.environment:
        return absent("answers are lines of a CSV that name no model")
    flight = json.loads(context.year.flights_of(day).head(1).to_json(orient="records", date_format="iso"))
    (answer,) = answers(context, flight)
    digest = str(answer["model"]).partition("@")[2]
    if not digest:
        return absent(f"an answer names {answer['model']}, and no digest of what answered")
    broken = _broken_link(context, digest)
    return holds(
        not broken,
        f"{flight[0]['flight_id']} > {answer['model']} > certificate > run > snapshot > raw file, all "
        "hashes agree",
        f"the way back ends: {broken}",
    )


def _broken_link(context: Context, digest: str) -> str:
    """Return where the way from a digest back to the raw files ends; empty if it does not."""
    version = next(
        (tags for tags in context.tracking.versions().values() if tags.get("digest", "").startswith(digest)), None
    )
    if version is None:
        return f"no version has digest {digest}"
    certificate = context.tracking.artifact(version["run_id"], "certificate.json")
    if context.seal_of(certificate) != version.get("certificate"):
        return "the certificate is not the one that was sealed"
    run = next(run for run in context.tracking.runs() if run["run_id"] == version["run_id"])
    snapshot = run["tags"]["snapshot"]
    if not any(_md5(path) == snapshot for path in context.files() if path.stat().st_size > 100_000):
        return f"no file has the hash {snapshot[:12]} of the snapshot"
    raw = sorted((context.workspace / "drop" / "flights").glob("*.parquet"))[0]
    return "" if context.copies(raw) else f"{raw.name} was not collected as it was published"


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()  # noqa: S324 - as DVC does


def released_because(tags: dict[str, str]) -> list[str]:
    """Return what the registry says happened to a version: the tags that carry a time."""
    return [f"{name}: {value}" for name, value in tags.items() if A_TIME.search(name) or A_TIME.search(value)]


@probe("GOV-03")
def releases_are_accounted_for(scenario: Scenario) -> Finding:
    """A version says when and why it was released, its training who asked for it, and a card has their figures."""
    context = scenario.context
    number = context.tracking.aliases().get("champion", "")
    tags = context.tracking.versions().get(number, {})
    why = released_because(tags)
    run = next((run for run in context.tracking.runs() if run["run_id"] == tags.get("run_id")), {})
    card = context.tracking.artifact(tags["run_id"], "MODEL_CARD.md") if run else ""
    metrics, trigger = run.get("metrics", {}), run.get("tags", {}).get("trigger", "not on record")
    figures = [f"{metrics[name]:.4f}" for name in ("holdout_log_loss", "holdout_auc") if name in metrics]
    right = len(figures) == 2 and all(figure in card for figure in figures) and digest_served(context) in card
    card_seen = f"yes, with {' and '.join(figures)} as in the registry" if right else "none with its figures"
    seen = f"by {trigger}; when and why: {'; '.join(why)[:160] or 'not on record'}; model card: {card_seen}"
    return holds(bool(why) and right, seen, seen)

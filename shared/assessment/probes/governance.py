"""Can what serves be followed back, and is each release accounted for?"""

import hashlib
import json
import re
from pathlib import Path

from ..scenario.context import Scene
from ..scenario.scenario import Played
from ..scenario.uncertified_model import answers
from .probe import Finding, absent, holds, probe
from .release import digest_served

A_TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d")


@probe("GOV-01")
def model_leads_back(played: Played) -> Finding:
    """The registered model that serves names a run; the run names code, data and environment."""
    scene = played.scene
    number = scene.aliases().get("champion", "")
    version = scene.versions().get(number)
    if version is None:
        return absent("what serves is a file that names nothing")
    (run,) = (
        (run for run in scene.runs() if run["run_id"] == version["run_id"])
        if version["run_id"]
        else ({"tags": {}},)
    )
    named = {name: run["tags"].get(name, "") for name in ("commit", "snapshot", "lock")}
    says = (
        f"version {number} > run {version['run_id'][:8]} > "
        f"{', '.join(f'{name} {value[:12]}' for name, value in named.items())}"
    )
    return holds(all(named.values()), says, says)


@probe("GOV-02")
def answer_leads_back(played: Played) -> Finding:
    """Follow one answer by hand: digest, certificate, run, snapshot, raw file; each hash computed again."""
    scene, day = played.scene, played.seen[-1].day
    if "PORT" not in scene.stage.environment:
        return absent("answers are lines of a CSV that name no model")
    flight = json.loads(scene.year.flights_of(day).head(1).to_json(orient="records", date_format="iso"))
    (answer,) = answers(scene, flight)
    digest = str(answer["model"]).partition("@")[2]
    if not digest:
        return absent(f"an answer names {answer['model']}, and no digest of what answered")
    broken = _broken_link(scene, digest)
    return holds(
        not broken,
        f"{flight[0]['flight_id']} > {answer['model']} > certificate > run > snapshot > raw file, all "
        "hashes agree",
        f"the way back ends: {broken}",
    )


def _broken_link(scene: Scene, digest: str) -> str:
    """Return where the way from a digest back to the raw files ends; empty if it does not."""
    version = next((tags for tags in scene.versions().values() if tags.get("digest", "").startswith(digest)), None)
    if version is None:
        return f"no version has digest {digest}"
    certificate = scene.artifact(version["run_id"], "certificate.json")
    if hashlib.sha256(certificate.encode()).hexdigest() != version.get("certificate"):
        return "the certificate is not the one that was sealed"
    run = next(run for run in scene.runs() if run["run_id"] == version["run_id"])
    snapshot = run["tags"]["snapshot"]
    if not any(_md5(path) == snapshot for path in scene.files() if path.stat().st_size > 100_000):
        return f"no file has the hash {snapshot[:12]} of the snapshot"
    raw = sorted((scene.workspace / "drop" / "flights").glob("*.parquet"))[0]
    return "" if scene.copies(raw) else f"{raw.name} was not collected as it was published"


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()  # noqa: S324 - as DVC does


def released_because(tags: dict[str, str]) -> list[str]:
    """Return what the registry says happened to a version: the tags that carry a time."""
    return [f"{name}: {said}" for name, said in tags.items() if A_TIME.search(name) or A_TIME.search(said)]


@probe("GOV-03")
def releases_are_accounted_for(played: Played) -> Finding:
    """A version says when and why it was released and by whom, and a model card gives its figures."""
    scene = played.scene
    number = scene.aliases().get("champion", "")
    tags = scene.versions().get(number, {})
    why = released_because(tags)
    cards = [path for path in scene.files() if "card" in path.name.lower()]
    cards_in_runs = scene.artifact(tags.get("run_id", ""), "model_card.md") if tags else ""
    figures = bool(cards_in_runs) or any(
        digest_served(scene) in path.read_text(errors="replace") for path in cards
    )
    says = f"when and why: {'; '.join(why)[:160] or 'not on record'}; model card: {'yes' if figures else 'none'}"
    return holds(bool(why) and figures, says, says)

"""How does a model, and how does the application, come into service, and how out of it?"""

import json
import re
import sqlite3
from collections import Counter
from contextlib import closing

import pandas as pd

from ..scenario.context import Scene
from ..scenario.scenario import Played
from ..scenario.uncertified_model import MODEL_SUFFIXES, number_in
from .probe import Finding, absent, holds, manual, present, probe

DATA_PEOPLE = "data scientist"
LARGEST_SHARE = 0.6


def digest_served(scene: Scene, port: str = "PORT") -> str:
    """Return the digest in the name of the model that serves; empty where it has none."""
    return str(scene.version(port).get("model")).partition("@")[2]


def certificate_served(scene: Scene) -> tuple[str, str]:
    """Return the version whose certificate is about the digest that serves, and its text; empty if none is."""
    digest = digest_served(scene)
    for number, tags in scene.versions().items():
        text = scene.artifact(tags["run_id"], "certificate.json")
        if text and digest and str(json.loads(text).get("digest", "")).startswith(digest):
            return number, text
    return "", ""


@probe("REL-01")
def by_one_data_person(played: Played) -> Finding:
    """Nothing changed by itself, and one role did every step of the second release."""
    successor = played.successor
    says = (
        "the second model came "
        f"{'by itself' if successor.by_itself else 'by ' + ', '.join(dict.fromkeys(successor.roles))}"
    )
    alone = (
        not successor.by_itself and set(successor.roles) == {DATA_PEOPLE} and successor.before != successor.after
    )
    return holds(alone, says, says)


@probe("REL-02")
def handed_over(played: Played) -> Finding:
    """One role leaves a model beside a note that names its inputs, and another picks it up."""
    scene, roles = played.scene, set(played.opening.roles)
    notes = [path for path in scene.files() if path.suffix in (".md", ".txt") and "carrier" in path.read_text()]
    for note in notes:
        if any(path.suffix in MODEL_SUFFIXES for path in note.parent.iterdir()):
            says = f"{scene.short(note)} beside a model; roles: {', '.join(sorted(roles))}"
            return holds(len(roles) > 1, says, says, scene.short(note))
    return absent(f"no model lies beside a note; roles in the first release: {', '.join(sorted(roles))}")


@probe("REL-03")
def application_is_released(played: Played) -> Finding:
    """After the workflow's commands ran on a new commit, the running application says that commit."""
    deployed = played.deployed
    if deployed.command:
        says = f"`{deployed.command}`: the application says {deployed.running}"
        return holds(deployed.running == deployed.commit, says, f"{says}; {deployed.said[-120:]}")
    changed = played.successor.before != played.successor.after and not played.successor.by_itself
    says = "no workflow releases it; the script that scores is copied with the model, by people"
    return manual(says) if changed else absent(says)


@probe("REL-04")
def one_command(played: Played) -> Finding:
    """Count what people do between a registered model and service."""
    scene, successor = played.scene, played.successor
    if not scene.versions():
        copying = [step.id for step in scene.people.steps if step.command and step.when != "daily"]
        return absent(f"no model has a version; people do {len(copying)} commands: {', '.join(copying)}")
    if successor.by_itself:
        return present("a registered model goes live without any command")
    after = [step for step in scene.people.steps if step.command and "train" not in step.command]
    changed = successor.before != successor.after and number_in(successor.after) == scene.aliases().get("champion")
    says = f"{len(after)} command after the training: {', '.join(step.command for step in after)}"
    return holds(len(after) <= 1 and changed, says, says)


@probe("REL-05")
def nobody_in_between(played: Played) -> Finding:
    """The second model came by itself, or not until people acted."""
    successor = played.successor
    says = f"{successor.before} before, {played.seen[-1].model} after {len(played.seen)} days without people"
    if successor.by_itself:
        return present(says)
    return (manual if successor.before != successor.after else absent)(
        f"{says}, {successor.after} after people's steps"
    )


@probe("REL-07")
def staged_first(played: Played) -> Finding:
    """Staging answers beside production, and production refuses a version that never passed."""
    unproven, staged = played.unproven, played.scene.version("STAGING_PORT")
    if unproven.served:
        return absent(f"an unproven model was made to serve: {unproven.says[:160]}")
    return holds(
        bool(staged.get("model")),
        f"staging holds {staged.get('model')}; production refused: {unproven.says[:160]}",
        "there is no staging",
    )


@probe("REL-08")
def a_share_first(played: Played) -> Finding:
    """Two models answered at once, the same flight number always by the same one, and then one answered all."""
    both = [day for day in played.seen if len(day.models) > 1]
    both = [day for day in both if day.models == both[-1].models]  # the last experiment
    if not both:
        return absent(f"one model answered every request of {len(played.seen)} days")
    arms: dict[str, set[str]] = {}
    for day in both:
        for flight, answer in day.answers.items():
            arms.setdefault(re.sub(r"^\d{4}-\d\d-\d\d-(.*)-\w+$", r"\1", flight), set()).add(answer.model)
    counted = Counter(answer.model for day in both for answer in day.answers.values())
    newest = max(counted, key=lambda name: int(number_in(name)))
    share = counted[newest] / counted.total()
    moved = sum(len(models) > 1 for models in arms.values())
    last = played.seen[-1]
    says = (
        f"{len(both)} days with two models, {share:.0%} of answers by the newer, {moved} of "
        f"{len(arms)} flight numbers changed arm; then {last.said[-160:]}"
    )
    decided = len(last.models) == 1
    return holds(share < LARGEST_SHARE and moved == 0 and decided, says, says)


@probe("REL-09")
def way_back(played: Played) -> Finding:
    """A version that fails in release leaves the one before in service; or people can bring it back."""
    unproven, swap = played.unproven, played.swap
    if unproven.version and not unproven.served:
        return present(f"version {unproven.version} failed in release; {unproven.after} goes on without people")
    earlier = played.successor.before
    changed = swap.between not in ("", swap.before)
    if changed and swap.how in ("rollback", f"release {number_in(swap.between)}"):  # the one that was asked for
        return manual(f"`{swap.how}` by people brings {swap.between} back")
    return absent(f"{earlier} cannot be had back: {', '.join(played.successor.lost) or swap.how}")


@probe("REL-12")
def nothing_dropped(played: Played) -> Finding:
    """Requests that failed while the serving model was changed there and back."""
    swap = played.swap
    changed = swap.between not in ("", swap.before)
    way = f"{swap.before} to {swap.between} to {swap.after}"
    says = f"{swap.how}, {way}: {swap.failed} of {swap.sent:,} requests failed"
    return holds(swap.sent > 0 and swap.failed == 0 and changed, says, says)


@probe("SRV-01")
def answers_are_logged(played: Played) -> Finding:
    """Every answer of the last day is in a log with inputs, model and time, and joins its outcome."""
    scene, day = played.scene, played.seen[0]
    outcomes = pd.read_parquet(scene.workspace / "drop" / "outcomes" / f"{day.day}.parquet")["flight_id"]
    for path in scene.files():
        if path.suffix in (".db", ".sqlite") and path.name.startswith("pred"):
            with closing(sqlite3.connect(path)) as log:
                log.row_factory = sqlite3.Row
                rows = [dict(row) for row in log.execute("SELECT * FROM predictions")]
            whole = {
                row["flight_id"]
                for row in rows
                if row["inputs"] and json.loads(row["inputs"]) and row["model"] and row["asked_at"]
            }
            answered, joined = set(day.answers), len(whole & set(outcomes)) / len(outcomes)
            says = (
                f"{len(answered & whole)} of {len(answered)} answers of {day.day} are in "
                f"{scene.short(path)}; {joined:.1%} of outcomes join"
            )
            return holds(answered <= whole and joined >= 0.99, says, says, scene.short(path))
    return absent("no file of the stage names the flights that were answered, with their inputs")


@probe("SRV-02")
def without_data_scientists(played: Played) -> Finding:
    """The second model came while no data scientist did anything."""
    successor = played.successor
    if successor.by_itself:
        return present(f"{played.seen[-1].model} came without people")
    return absent(f"the plan needs a {DATA_PEOPLE} {successor.roles.count(DATA_PEOPLE)} times")

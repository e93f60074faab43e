"""How does a model, and how does the application, come into service, and how out of it?"""

import json
import re
import sqlite3
from collections import Counter
from contextlib import closing

import pandas as pd

from ..scenario.context import Context, in_words
from ..scenario.scenario import Scenario
from ..scenario.uncertified_model import MODEL_SUFFIXES, number_in
from .probe import Finding, absent, holds, manual, present, probe

DATA_PEOPLE = "data scientist"
LARGEST_SHARE = 0.6


def digest_served(context: Context, port: str = "PORT") -> str:
    """Return the digest in the name of the model that serves; empty where it has none."""
    return str(context.version(port).get("model")).partition("@")[2]


def certificate_served(context: Context) -> tuple[str, str]:
    """Return the version whose certificate is about the digest that serves, and its text; empty if none is."""
    digest = digest_served(context)
    for number, tags in context.tracking.versions().items():
        text = context.tracking.artifact(tags["run_id"], "certificate.json")
        if text and digest and str(json.loads(text).get("digest", "")).startswith(digest):
            return number, text
    return "", ""


@probe("REL-01")
def by_one_data_person(scenario: Scenario) -> Finding:
    """Nothing changed by itself, and one role did every step of the second release."""
    second_model = scenario.second_model
    seen = (
        "the second model came "
        f"{'by itself' if second_model.by_itself else 'by ' + ', '.join(dict.fromkeys(second_model.roles))}"
    )
    alone = (
        not second_model.by_itself
        and set(second_model.roles) == {DATA_PEOPLE}
        and second_model.before != second_model.after
    )
    return holds(alone, seen, seen)


@probe("REL-02")
def handed_over(scenario: Scenario) -> Finding:
    """One role leaves a model beside a note that names its inputs, and another picks it up."""
    context, roles = scenario.context, set(scenario.first_model.roles)
    notes = [path for path in context.files() if path.suffix in (".md", ".txt") and "carrier" in path.read_text()]
    for note in notes:
        if any(path.suffix in MODEL_SUFFIXES for path in note.parent.iterdir()):
            seen = f"{context.short(note)} beside a model; roles: {', '.join(sorted(roles))}"
            return holds(len(roles) > 1, seen, seen, context.short(note))
    return absent(f"no model lies beside a note; roles in the first release: {', '.join(sorted(roles))}")


@probe("REL-03")
def application_is_released(scenario: Scenario) -> Finding:
    """After the workflow's commands ran on a new commit, the running application says that commit."""
    code_release = scenario.code_release
    if code_release.command:
        seen = f"`{code_release.command}`: the application says {code_release.running}"
        return holds(code_release.running == code_release.commit, seen, f"{seen}; {code_release.output[-120:]}")
    changed = scenario.second_model.before != scenario.second_model.after and not scenario.second_model.by_itself
    seen = "no workflow releases it; the script that scores is copied with the model, by people"
    return manual(seen) if changed else absent(seen)


@probe("REL-04")
def one_command(scenario: Scenario) -> Finding:
    """Count what people do between a registered model and service."""
    context, second_model = scenario.context, scenario.second_model
    if not context.tracking.versions():
        copying = [step.id for step in context.people.steps if step.command and step.when != "daily"]
        return absent(f"no model has a version; people do {len(copying)} commands: {', '.join(copying)}")
    if second_model.by_itself:
        return present("a registered model goes live without any command")
    after = [step for step in context.people.steps if step.command and "train" not in step.command]
    named = number_in(second_model.after) == second_model.champion
    changed = second_model.before != second_model.after and named
    seen = f"{len(after)} command after the training: {', '.join(step.command for step in after)}"
    return holds(len(after) <= 1 and changed, seen, seen)


@probe("REL-05")
def nobody_in_between(scenario: Scenario) -> Finding:
    """The second model came by itself, or not until people acted."""
    second_model = scenario.second_model
    seen = (
        f"{second_model.before} before, {scenario.days[-1].model} after {len(scenario.days)} days without people"
    )
    if second_model.by_itself:
        return present(seen)
    return (manual if second_model.before != second_model.after else absent)(
        f"{seen}, {second_model.after} after people's steps"
    )


@probe("REL-07")
def staged_first(scenario: Scenario) -> Finding:
    """Staging answers beside production, and production refuses a version that never passed."""
    uncertified, staged = scenario.uncertified, scenario.context.version("STAGING_PORT")
    if uncertified.served:
        return absent(f"an uncertified model was made to serve: {uncertified.problem[:160]}")
    return holds(
        bool(staged.get("model")),
        f"staging holds {staged.get('model')}; production refused: {uncertified.problem[:160]}",
        "there is no staging",
    )


@probe("REL-08")
def a_share_first(scenario: Scenario) -> Finding:
    """Two models answered at once, the same flight number always by the same one, and then one answered all."""
    both = [day for day in scenario.days if len(day.models) > 1]
    both = [day for day in both if day.models == both[-1].models]  # the last experiment
    if not both:
        return absent(f"one model answered every request of {len(scenario.days)} days")
    arms: dict[str, set[str]] = {}
    for day in both:
        for flight, answer in day.answers.items():
            arms.setdefault(re.sub(r"^\d{4}-\d\d-\d\d-(.*)-\w+$", r"\1", flight), set()).add(answer.model)
    counted = Counter(answer.model for day in both for answer in day.answers.values())
    newest = max(counted, key=lambda name: int(number_in(name)))
    share = counted[newest] / counted.total()
    moved = sum(len(models) > 1 for models in arms.values())
    last = scenario.days[-1]
    seen = (
        f"{len(both)} days with two models, {share:.0%} of answers by the newer, {moved} of "
        f"{len(arms)} flight numbers changed arm; then {in_words(last.events)[-160:]}"
    )
    decided = len(last.models) == 1
    return holds(share < LARGEST_SHARE and moved == 0 and decided, seen, seen)


@probe("REL-09")
def way_back(scenario: Scenario) -> Finding:
    """A version that fails in release leaves the one before in service; or people can bring it back."""
    uncertified, swap = scenario.uncertified, scenario.swap
    if uncertified.version and not uncertified.served:
        return present(
            f"version {uncertified.version} failed in release; {uncertified.after} goes on without people"
        )
    earlier = scenario.second_model.before
    changed = swap.between not in ("", swap.before)
    if changed and swap.how in ("rollback", f"release {number_in(swap.between)}"):  # the one that was asked for
        return manual(f"`{swap.how}` by people brings {swap.between} back")
    return absent(f"{earlier} cannot be had back: {', '.join(scenario.second_model.lost) or swap.how}")


@probe("REL-12")
def nothing_dropped(scenario: Scenario) -> Finding:
    """Requests that failed while the serving model was changed there and back."""
    swap = scenario.swap
    changed = swap.between not in ("", swap.before)
    way = f"{swap.before} to {swap.between} to {swap.after}"
    seen = f"{swap.how}, {way}: {swap.failed} of {swap.sent:,} requests failed"
    return holds(swap.sent > 0 and swap.failed == 0 and changed, seen, seen)


@probe("SRV-01")
def answers_are_logged(scenario: Scenario) -> Finding:
    """Every answer of the first day is in a log with inputs, model and time, and joins its outcome."""
    context, day = scenario.context, scenario.days[0]
    outcomes = pd.read_parquet(context.workspace / "drop" / "outcomes" / f"{day.day}.parquet")["flight_id"]
    for path in context.files():
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
            seen = (
                f"{len(answered & whole)} of {len(answered)} answers of {day.day} are in "
                f"{context.short(path)}; {joined:.1%} of outcomes join"
            )
            return holds(answered <= whole and joined >= 0.99, seen, seen, context.short(path))
    return absent("no file of the stage names the flights that were answered, with their inputs")


@probe("SRV-02")
def without_data_scientists(scenario: Scenario) -> Finding:
    """The second model came while no data scientist did anything."""
    second_model = scenario.second_model
    if second_model.by_itself:
        return present(f"{scenario.days[-1].model} came without people")
    return absent(f"the plan needs a {DATA_PEOPLE} {second_model.roles.count(DATA_PEOPLE)} times")

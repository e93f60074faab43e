"""Do the level's own tests notice what is wrong, and does anything reach production without them?"""

import hashlib
import json

import yaml

from ...base import ROOT, git
from ..scenario.context import Scene
from ..scenario.mutants import Mutants
from ..scenario.scenario import Played
from .probe import Finding, absent, holds, probe
from .release import certificate_served


def notices(mutants: Mutants, *wrongs: str) -> Finding:
    """Tell whether the tests pass as they are and fail for each of these wrongs."""
    if not mutants.collected:
        return absent("the level has no tests")
    if not mutants.green:
        return absent(f"its tests do not pass as they are: {mutants.said['as it is']}")
    missed = [wrong for wrong in wrongs if not mutants.noticed.get(wrong)]
    told = "; ".join(f"{wrong}: {mutants.said.get(wrong, 'nothing there to put wrong')}" for wrong in wrongs)
    return holds(not missed, f"noticed, {told}", f"not noticed, {told}")


@probe("TST-01")
def application_is_tested(played: Played) -> Finding:
    """Tests notice an application without its door, run on every push, and nothing is released before them."""
    guarded = _release_waits_for_tests(played.scene)
    found = notices(played.mutants, "a door that is gone")
    if not guarded:
        return absent(f"no workflow runs tests on a push before it releases; {found.says}")
    return Finding(found.answer, f"{found.says}; {guarded} releases only after its tests", guarded)


def _release_waits_for_tests(scene: Scene) -> str:
    """Return the workflow that tests on every push and releases after that, if there is one."""
    for path in sorted((scene.source / ".github" / "workflows").glob("*.yml")):
        workflow = yaml.safe_load(path.read_text())
        jobs = workflow["jobs"]
        runs = {name: " ".join(step.get("run", "") for step in job["steps"]) for name, job in jobs.items()}
        testing = {name for name, commands in runs.items() if "make test" in commands}

        def waits(name: str) -> bool:
            needs = jobs[name].get("needs", [])  # noqa: B023 - used in this round only
            needed = [needs] if isinstance(needs, str) else needs
            return any(each in testing or waits(each) for each in needed)  # noqa: B023

        releasing = [name for name, commands in runs.items() if "deploy" in commands]
        if (
            "push" in workflow.get(True, {}) and releasing and all(waits(name) for name in releasing)
        ):  # `on` reads as true
            return scene.short(path)
    return ""


@probe("TST-02")
def model_is_asked_in_tests(played: Played) -> Finding:
    """Tests notice when the model's answers come back in another order."""
    return notices(played.mutants, "answers in another order")


@probe("TST-03")
def scoring_is_tested(played: Played) -> Finding:
    """Tests notice when the code that scores computes a weekday that is off by one."""
    return notices(played.mutants, "a weekday off by one")


@probe("TST-04")
def scoring_is_untracked(played: Played) -> Finding:
    """A script that people run to score is the content of no tracked file."""
    scene = played.scene
    tracked = [ROOT / name for name in git(ROOT, "ls-files", "-z").split("\0") if name.endswith(".py")]
    known = {hashlib.sha256(path.read_bytes()).hexdigest() for path in tracked if path.exists()}
    scripts = [
        path
        for path in scene.files()
        if path.suffix == ".py"
        and "releases" not in path.parts
        and hashlib.sha256(path.read_bytes()).hexdigest() not in known
    ]
    named = ", ".join(scene.short(path) for path in scripts)
    return holds(bool(scripts), f"{named} is in no version control", "no code in the stage but what is tracked")


@probe("TST-05")
def release_carries_its_report(played: Played) -> Finding:
    """The version that serves has a report of tests about exactly its digest."""
    number, text = certificate_served(played.scene)
    if not text:
        return absent("no report of tests names what serves")
    report = json.loads(text)
    gates = report.get("gates", {})
    passed = sum(bool(each.get("passed")) for each in gates.values())
    says = f"version {number}, {report['digest'][:12]}: {passed} of {len(gates)} passed, package and staging"
    return holds(passed == len(gates) > 0, says, says, "certificate.json")


@probe("TST-07")
def pipeline_is_tested(played: Played) -> Finding:
    """A test of the whole pipeline on little data notices when one step leaves no report."""
    return notices(played.mutants, "a step without its artefact")


@probe("TST-08")
def data_is_tested(played: Played) -> Finding:
    """Tests notice impossible training data while the code is as it was."""
    return notices(played.mutants, "impossible training data")


@probe("TST-09")
def builds_are_named(played: Played) -> Finding:
    """Building a commit twice gives the same content, under the commit's name."""
    deployed = played.deployed
    if not deployed.command:
        return absent(deployed.said)
    same = len(set(deployed.digests)) == 1 and deployed.digests[0] != ""
    says = (
        f"{deployed.commit} built twice: content {deployed.digests[0][:12] or 'missing'} and "
        f"{deployed.digests[-1][:12]}"
    )
    return holds(same, says, says)


@probe("TST-10")
def contract_is_tested(played: Played) -> Finding:
    """A model that takes `temperature` where the application gives `temp` is refused, and the input is named."""
    return refused(played, "bad", "renamed", "'temp'", "a renamed input")


def refused(played: Played, flaw: str, kind: str, named: str, what: str) -> Finding:
    """Tell whether a flawed candidate was stopped before it served, for the reason it was given."""
    outcome = played.flawed.get(flaw)
    if outcome is None or (kind not in outcome.planted and not outcome.served):
        return absent(
            f"nothing between training and service would notice {what}: there is no step to plant it before"
        )
    stopped = not outcome.delivered and not outcome.served and named in outcome.said
    return holds(
        stopped,
        f"{what} is refused: {_around(outcome.said, named)}",
        f"{what} is not refused: {outcome.said[:160]}",
    )


def _around(text: str, named: str) -> str:
    at = max(text.find(named) - 100, 0)
    return text[at : at + 200]

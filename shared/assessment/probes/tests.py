"""Do the level's own tests notice mutants, and does anything reach production without them?"""

import hashlib
import json

import yaml

from ...base import ROOT, git
from ..scenario.context import Context
from ..scenario.mutants import Mutants
from ..scenario.scenario import Scenario
from .probe import Finding, absent, holds, probe
from .release import certificate_served


def notices(mutants: Mutants, *mutations: str) -> Finding:
    """Tell whether the tests pass as they are and fail for each of these wrongs."""
    if not mutants.collected:
        return absent("the level has no tests")
    if not mutants.green:
        return absent(f"its tests do not pass as they are: {mutants.output['as it is']}")
    missed = [mutation for mutation in mutations if not mutants.noticed.get(mutation)]
    told = "; ".join(f"{mutation}: {mutants.output.get(mutation, 'nothing to change')}" for mutation in mutations)
    return holds(not missed, f"noticed, {told}", f"not noticed, {told}")


@probe("TST-01")
def application_is_tested(scenario: Scenario) -> Finding:
    """Tests notice an application without its endpoint, run on every push, and nothing is released before them."""
    guarded = _release_waits_for_tests(scenario.context)
    found = notices(scenario.mutants, "an endpoint that is gone")
    if not guarded:
        return absent(f"no workflow runs tests on a push before it releases; {found.seen}")
    return Finding(found.answer, f"{found.seen}; {guarded} releases only after its tests", guarded)


def _release_waits_for_tests(context: Context) -> str:
    """Return the workflow that tests on every push and releases after that, if there is one."""
    for path in sorted((context.source / ".github" / "workflows").glob("*.yml")):
        workflow = yaml.safe_load(path.read_text())
        jobs = workflow["jobs"]
        runs = {name: " ".join(step.get("run", "") for step in job["steps"]) for name, job in jobs.items()}
        testing = {name for name, commands in runs.items() if "make test" in commands}

        def waits(name: str) -> bool:
            needs = jobs[name].get("needs", [])  # noqa: B023 - used in this round only
            needed = [needs] if isinstance(needs, str) else needs
            return any(need in testing or waits(need) for need in needed)  # noqa: B023

        releasing = [name for name, commands in runs.items() if "deploy" in commands]
        if (
            "push" in workflow.get(True, {}) and releasing and all(waits(name) for name in releasing)
        ):  # `on` reads as true
            return context.short(path)
    return ""


@probe("TST-02")
def model_is_asked_in_tests(scenario: Scenario) -> Finding:
    """Tests notice when the model's answers come back in another order."""
    return notices(scenario.mutants, "answers in another order")


@probe("TST-03")
def scoring_is_tested(scenario: Scenario) -> Finding:
    """Tests notice when the code that scores computes a weekday that is off by one."""
    return notices(scenario.mutants, "a weekday off by one")


@probe("TST-04")
def scoring_is_untracked(scenario: Scenario) -> Finding:
    """A script that people run to score is the content of no tracked file."""
    context = scenario.context
    tracked = [ROOT / name for name in git(ROOT, "ls-files", "-z").split("\0") if name.endswith(".py")]
    known = {hashlib.sha256(path.read_bytes()).hexdigest() for path in tracked if path.exists()}
    scripts = [
        path
        for path in context.files()
        if path.suffix == ".py"
        and not {"releases", "bentos"} & {*path.parts}  # what a commit was unpacked or packed into
        and hashlib.sha256(path.read_bytes()).hexdigest() not in known
    ]
    named = ", ".join(context.short(path) for path in scripts)
    return holds(bool(scripts), f"{named} is in no version control", "no code in the stage but what is tracked")


@probe("TST-05")
def release_carries_its_report(scenario: Scenario) -> Finding:
    """The version that serves has a report of tests about exactly its digest."""
    number, text = certificate_served(scenario.context)
    if not text:
        return absent("no report of tests names what serves")
    report = json.loads(text)
    gates = report.get("gates", {})
    passed = sum(bool(gate.get("passed")) for gate in gates.values())
    seen = f"version {number}, {report['digest'][:12]}: {passed} of {len(gates)} passed, package and staging"
    return holds(passed == len(gates) > 0, seen, seen, "certificate.json")


@probe("TST-07")
def pipeline_is_tested(scenario: Scenario) -> Finding:
    """A test of the whole pipeline on little data notices when one step leaves no report."""
    return notices(scenario.mutants, "a step without its artifact")


@probe("TST-08")
def data_is_tested(scenario: Scenario) -> Finding:
    """Tests notice impossible training data while the code is as it was."""
    return notices(scenario.mutants, "impossible training data")


@probe("TST-09")
def builds_are_named(scenario: Scenario) -> Finding:
    """Building a commit twice gives the same content, under the commit's name."""
    code_release = scenario.code_release
    if not code_release.command:
        return absent(code_release.output)
    same = len(set(code_release.digests)) == 1 and code_release.digests[0] != ""
    seen = (
        f"{code_release.commit} built twice: content {code_release.digests[0][:12] or 'missing'} and "
        f"{code_release.digests[-1][:12]}"
    )
    return holds(same, seen, seen)


@probe("TST-10")
def contract_is_tested(scenario: Scenario) -> Finding:
    """A model that takes `temperature` where the application gives `temp` is refused, and that input is named."""
    return refused(scenario, "bad", "renamed", "differ in 'temp'", "a renamed input")


def refused(scenario: Scenario, defect: str, kind: str, named: str, what: str) -> Finding:
    """Tell whether a candidate with a defect was stopped before it served, and the reason names the defect."""
    outcome = scenario.defects.get(defect)
    if outcome is None or (kind not in outcome.seeded and not outcome.served):
        return absent(
            f"nothing between training and service would notice {what}: there is no step to seed it before"
        )
    reasons = reasons_on_record(scenario.context, outcome.version)
    stopped = not outcome.delivered and not outcome.served and named in reasons
    return holds(
        stopped,
        f"{what} is refused: {_around(reasons, named)}",
        f"{what} is not refused: {(reasons or outcome.message)[:160]}",
    )


def reasons_on_record(context: Context, number: str) -> str:
    """Return why a version was refused: the gates of its certificate that failed, and what its tags hold."""
    version = context.tracking.versions().get(number)
    if version is None:
        return ""
    certificate = json.loads(context.tracking.artifact(version["run_id"], "certificate.json") or "{}")
    failed = {name: gate for name, gate in certificate.get("gates", {}).items() if not gate["passed"]}
    return "; ".join(
        [json.dumps({name: gate}, ensure_ascii=False) for name, gate in failed.items()] + [*version.values()]
    )


def _around(text: str, named: str) -> str:
    at = max(text.find(named) - 100, 0)
    return text[at : at + 200]

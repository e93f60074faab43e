"""Are code and environments tested, rehearsed and made again from files?"""

import json
import math
import os
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ...base import ROOT
from ...stack.process import last_line, run
from ..scenario.context import Context
from ..scenario.scenario import Scenario
from ..scenario.uncertified_model import answers, number_in
from ..scenario.workflow_run import Workflow, workflows_on_push
from .probe import Finding, absent, holds, manual, present, probe

CONTRIBUTION = re.compile(r"([+-]\d+\.\d+)  (.+)")
ROUNDED = 0.002  # of a logit: some twenty contributions, four digits each
MIN_STEPS = 3  # of a trace
TEST, REHEARSE, RELEASE = "^test ", "^level[0-9]+ ONCE=1", "^deploy "  # what `make` is asked for
QUICK_TESTS = ("config", "data/test_collect.py", "serving/test_app.py")
# A project of one's own knows nothing of this one.
OURS = ("STAGE", "MLFLOW_", "PREFECT_", "OMP_")


@probe("TST-06")
def every_room_is_tested(scenario: Scenario) -> Finding:
    """In each room of the code a defect is noticed by the quick tests of that room."""
    mutants = scenario.mutants
    if not mutants.collected:
        return absent("the level has no tests")
    if not mutants.green:
        return absent(f"its tests do not pass as they are: {mutants.output['as it is']}")
    told = {
        room: "; ".join(f"{name}: {mutants.output[name]}" for name in names) or "nothing was changed"
        for room, names in mutants.rooms.items()
    }
    missed = [
        room
        for room, names in mutants.rooms.items()
        if not names or not all(mutants.noticed[name] for name in names)
    ]
    return holds(
        not missed,
        f"a defect is noticed in {', '.join(told)}",
        f"not noticed in {', '.join(f'{room} ({told[room]})' for room in missed)}",
    )


@probe("VAL-08")
def prediction_is_explained(scenario: Scenario) -> Finding:
    """Ask for one flight; its contributions add up to the logit of the answer, and its steps are told."""
    context, day = scenario.context, scenario.days[-1].day
    if "PORT" not in context.stage.environment:
        return absent("answers are lines of a CSV, and nothing explains one")
    flight = json.loads(context.year.flights_of(day).head(1).to_json(orient="records", date_format="iso"))
    (answer,) = answers(context, flight)
    flight_id, probability = flight[0]["flight_id"], answer["late_probability"]
    explained = context.command("python", "-m", context.stage.package, "explain", flight_id)
    terms = [
        float(term[1])
        for term in map(CONTRIBUTION.fullmatch, map(str.strip, explained.stdout.splitlines()))
        if term
    ]
    if explained.returncode or len(terms) <= MIN_STEPS:
        errors = [line.strip("│ ") for line in explained.stderr.splitlines() if "No such" in line]
        return absent(f"no prediction can be explained: {(errors or [last_line(explained)])[0][:160]}")
    *contributions, total = terms
    logit = math.log(probability / (1 - probability))
    exact = all(abs(value - logit) < ROUNDED for value in (sum(contributions), total))
    steps = context.command("python", "-m", context.stage.package, "trace", flight_id)
    followed = steps.returncode == 0 and len(steps.stdout.splitlines()) >= MIN_STEPS
    seen = (
        f"{flight_id}: {len(contributions)} contributions add up to {sum(contributions):+.4f}, the answer "
        f"{probability:.4f} is {logit:+.4f}; {len(steps.stdout.splitlines())} steps lead back"
    )
    return holds(exact and followed, seen, seen)


@probe("REL-06")
def pipeline_releases(scenario: Scenario) -> Finding:
    """The orchestrator ran the delivery of the second model; what somebody else put into production is refused."""
    second_model = scenario.second_model
    number = number_in(second_model.after)
    if not number or second_model.before == second_model.after:
        return absent("what is released is a file that people copied")
    if not second_model.by_itself:
        return manual(f"{second_model.after} was released by a command of people")
    uncertified, flows = scenario.uncertified, {"name": {"any_": ["delivery"]}}
    delivered = scenario.context.pipeline(
        "flow_runs", flows=flows, flow_runs={"name": {"any_": [f"version-{number}"]}}
    )
    completed = [delivery for delivery in delivered if delivery["state_type"] == "COMPLETED"]
    seen = (
        f"{second_model.after} came by {len(completed)} deliveries of the orchestrator; version "
        f"{uncertified.version or '?'}, put there by somebody, {'serves' if uncertified.served else 'was refused'}"
    )
    return holds(bool(completed) and bool(uncertified.version) and not uncertified.served, seen, seen)


@probe("REL-10")
def pipeline_is_released(scenario: Scenario) -> Finding:
    """Trainings that alarms start after a release of the code carry the commit of that release."""
    code_release = scenario.code_release
    runs = [run for run in scenario.faults.triggered if run["start_time"] / 1000 > code_release.ended]
    if not code_release.command or not runs:
        return absent(
            "no training came by itself after the release of the code: what people start is their checkout"
        )
    commits = {run["tags"].get("commit", "unknown") for run in runs}
    seen = f"{code_release.commit} was released; {len(runs)} trainings after it ran {', '.join(sorted(commits))}"
    return holds(commits == {code_release.commit}, seen, seen)


@probe("REL-11")
def release_is_rehearsed(scenario: Scenario) -> Finding:
    """A workflow tests, rehearses and releases, and stops where one fails: run with a `make` that only listens."""
    context = scenario.context
    found = [(workflow, _stops(context, workflow)) for workflow in workflows_on_push(context.source)]
    for workflow, problem in found:
        if not problem:
            return present(
                "tested, rehearsed, then released, and nothing is released after a rehearsal that fails",
                context.short(workflow.path),
            )
    told = "; ".join(f"{workflow.path.name}: {problem}" for workflow, problem in found)
    return absent(told or "no workflow runs on a push")


def _stops(context: Context, workflow: Workflow) -> str:
    """Return what keeps a workflow from being test, rehearsal and release in this order; empty if nothing does."""
    with TemporaryDirectory() as folder:

        def asked(fails: str = "^$") -> list[str]:
            """Return which of the three steps were reached when some fail."""
            calls = workflow.run(Path(folder, fails.strip("^$ ") or "all"), context.stage.number, fails)
            steps = (step for call in calls for step in (TEST, REHEARSE, RELEASE) if re.search(step, f"{call} "))
            return list(dict.fromkeys(steps))

        if asked() != [TEST, REHEARSE, RELEASE]:
            return "it does not test, rehearse and release, in this order"
        if asked(fails=TEST) != [TEST] or asked(fails=REHEARSE) != [TEST, REHEARSE]:
            return "it goes on after a step that failed"
        return "" if workflow.approved("make deploy") else "nobody can be asked before it releases"


@probe("GOV-05")
def second_use_case(scenario: Scenario) -> Finding:
    """Make a project from the level's template and a made-up table; quick tests of it pass as they are."""
    context = scenario.context
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    with TemporaryDirectory() as folder:
        new = Path(folder, "churn")
        level = str(context.stage.number)
        made = run(
            [sys.executable, "-m", "shared", "new", str(new), "--level", level, "--name", "churn"], ROOT, clean
        )
        if made.returncode:
            return absent(f"no second use case can be made: {last_line(made)[:200]}")
        files = [str(path) for name in QUICK_TESTS if (path := new / "churn" / "tests" / name).exists()]
        options = ["-q", "-x", "-p", "no:cacheprovider", "-m", "not slow"]
        faster = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(new)}
        tested = run([sys.executable, "-m", "pytest", *options, *files], new, clean | faster)
        said = (tested.stdout.strip().splitlines() or [last_line(tested)])[-1]
    context.note(f"a project from the template of level {level}: {said}")
    return holds(
        tested.returncode == 0 and bool(files),
        f"churn is made from the template, with a table of its own; its quick tests: {said}",
        f"churn is made from the template, but its quick tests: {said}",
    )


@probe("GOV-06")
def environment_comes_back(scenario: Scenario) -> Finding:
    """After all that was installed is gone, the same model and application come back from files."""
    before, after = scenario.rebuild.before, scenario.rebuild.after
    if before is None or after is None:
        return absent("what runs are files that people copied to a server: nothing says how to have them again")
    same = before == after and before.content != "" and len(before.answers) > 0
    seen = f"{scenario.rebuild.files} files removed; before: {before}; after: {after}"
    return holds(same, f"{seen}; {len(before.answers)} answers are the same", f"{seen}; not the same")

"""Can a model be trained without a screen, again, on time, with a record, and is a bad training stopped?"""

import json
import math
from typing import Any

from ..scenario.context import Context, in_words
from ..scenario.scenario import Scenario
from .data import sources
from .probe import Finding, absent, holds, present, probe

BY_THE_CLOCK = {"schedule", "staleness"}  # triggers that look at nothing but the date
FIGURES = ("holdout_log_loss", "holdout_auc", "train_log_loss")


def trainings(context: Context) -> list[dict[str, Any]]:
    """Return the finished training runs, oldest first."""
    return [
        run
        for run in context.tracking.runs()
        if run["status"] == "FINISHED" and run["metrics"] and run["tags"].get("trigger")
    ]


@probe("EXP-01")
def only_from_notebooks(scenario: Scenario) -> Finding:
    """Every fit is in a notebook, and its cell means nothing without the ones before it."""
    places = [(name, code) for name, code in sources(scenario.context) if ".fit(" in code]
    in_notebooks = [(name, code) for name, code in places if ".ipynb" in name]
    if not places or len(in_notebooks) < len(places):
        return absent(f"models are fitted in {', '.join(name for name, _ in places)}")
    name, code = in_notebooks[0]
    done = scenario.context.command("python", "-c", code)
    alone = (done.stderr.strip().splitlines() or ["it runs"])[-1]
    return holds(
        done.returncode != 0, f"only {name} fits a model; run out of order it fails: {alone}", f"{name} runs alone"
    )


@probe("EXP-02")
def experiments_are_tracked(scenario: Scenario) -> Finding:
    """Two trainings or more are on record, whole, and the best can be asked for."""
    runs = scenario.context.tracking.runs()
    whole = [
        run
        for run in runs
        if run["params"] and run["metrics"] and run["tags"].get("commit") and run.get("end_time")
    ]
    ids = list({run["experiment_id"] for run in whole})
    query = {"experiment_ids": ids, "order_by": ["metrics.holdout_log_loss ASC"], "max_results": 1}
    best = scenario.context.tracking.request("runs/search", "POST", **query).get("runs", []) if ids else []
    seen = f"{len(whole)} of {len(runs)} runs have parameters, metrics, commit, data and times"
    return holds(len(whole) >= 2 and bool(best), f"{seen}; the best one was asked for and found", seen)


@probe("TRN-01")
def headless_pipeline(scenario: Scenario) -> Finding:
    """A training without a terminal finished, and its steps ran one after the other."""
    context = scenario.context
    if not trainings(context):
        done = context.command("python", "-m", context.stage.package, "train")
        return absent(f"no training command: {(done.stderr.strip().splitlines() or ['none'])[-1][:120]}")
    runs = context.pipeline("flow_runs", limit=100)
    flows = [run for run in runs if run["state_type"] == "COMPLETED"]
    for flow in sorted(flows, key=lambda flow: flow["start_time"]):
        tasks = context.pipeline("task_runs", task_runs={"flow_run_id": {"any_": [flow["id"]]}}, limit=50)
        tasks.sort(key=lambda task: str(task["start_time"]))
        names = [task["task_key"].rpartition(".")[2].partition("-")[0] for task in tasks]
        if len(names) >= 5:
            return present(f"flow {flow['name']}: {' > '.join(names)}, without a terminal")
    return absent("trainings finished, but no pipeline of steps is on record")


@probe("TRN-02")
def same_again(scenario: Scenario) -> Finding:
    """Training once more on the first run's snapshot gives the same figures to 1e-12."""
    runs, again = trainings(scenario.context), scenario.defects.get("again")
    if again is None or not again.version:
        return absent("no training can be started again on the data of an earlier one")
    run_id = scenario.context.tracking.versions()[again.version]["run_id"]
    (second,) = (run for run in runs if run["run_id"] == run_id)
    first = next(run for run in runs if run["tags"]["snapshot"] == second["tags"]["snapshot"])
    pairs = [(first["metrics"][name], second["metrics"][name]) for name in FIGURES]
    same = all(math.isclose(a, b, rel_tol=0, abs_tol=1e-12) for a, b in pairs)
    return holds(same, f"log loss {pairs[0][0]!r} twice", f"{pairs[0][0]!r}, then {pairs[0][1]!r}")


@probe("TRN-04")
def a_calendar_trains(scenario: Scenario) -> Finding:
    """On the first Monday of a month a training ran, by calendar or by age, and nobody was there."""
    runs = [run for run in trainings(scenario.context) if run["tags"]["trigger"] in BY_THE_CLOCK]
    return holds(
        bool(runs),
        in_words(scenario.days[0].events)[:160],
        f"nothing was trained in {len(scenario.days)} days without people",
    )


@probe("TRN-05")
def metadata_is_whole(scenario: Scenario) -> Finding:
    """A run has all seven groups of metadata, and the model before it is one that exists."""
    context, best = scenario.context, (0, "")
    for run in trainings(context):
        tags, metrics, info = run["tags"], run["metrics"], run
        groups = {
            "versions": tags.get("commit") and tags.get("lock"),
            "times": info.get("start_time")
            and info.get("end_time")
            and any(name.startswith("seconds_") for name in metrics),
            "executor": tags.get("mlflow.user") or info.get("user_id"),
            "arguments": run["params"],
            "artifacts": info.get("artifact_uri")
            and any(version["run_id"] == run["run_id"] for version in context.tracking.versions().values()),
            "model before": tags.get("previous_model") in context.tracking.versions(),
            "metrics": all(name in metrics for name in FIGURES),
        }
        missing = [name for name, value in groups.items() if not value]
        if not missing:
            return present(f"run {run['run_id']} has {', '.join(groups)}")
        best = max(best, (len(groups) - len(missing), f"lacks {', '.join(missing)}"))
    return absent(f"no run is whole: {best[1] or 'none is on record'}")


@probe("TRN-07")
def modules_not_notebooks(scenario: Scenario) -> Finding:
    """What fits a model can be imported in a process that has opened no notebook."""
    context = scenario.context
    modules = [name for name, code in sources(context) if name.endswith(".py") and ".fit(" in code]
    for name in modules:
        dotted = name.removesuffix(".py").replace("/", ".")
        script = (
            f"import sys, {dotted}; sys.exit(any(name in sys.modules for name in ('nbformat', "
            "'ipykernel', 'nbclient')))"
        )
        if context.command("python", "-c", script).returncode == 0:
            return present(f"{name} can be imported, and opens no notebook", name)
    return absent(
        f"{len(modules)} modules fit a model" if not modules else f"{modules[0]} cannot be imported alone"
    )


@probe("TRN-08")
def diverging_is_stopped(scenario: Scenario) -> Finding:
    """A learning rate of a million leaves no model."""
    outcome = scenario.defects["diverging"]
    left = bool(outcome.version or outcome.served or outcome.delivered)
    return holds(
        not left,
        f"learning rate 1e6: {outcome.message[:160]}",
        f"learning rate 1e6 gave a model: {outcome.message[:160]}",
    )


@probe("TRN-09")
def simple_models_compete(scenario: Scenario) -> Finding:
    """A model no better than a simple one is refused, and a search leaves a record of what it tried."""
    useless = scenario.defects.get("useless")
    if useless is None or useless.version or not useless.message:
        return absent("nothing compares a model with a simple one")
    searched = _searched(scenario.context)
    seen = f"refused: {useless.message[:120]}; {searched} combinations on record"
    return holds(searched >= 2, seen, f"{seen}, so the search leaves none")


def _searched(context: Context) -> int:
    """Run the level's search on two combinations and count the runs it leaves."""
    script = (
        f"from {context.stage.package}.training import search; params, load = search.read_params(), "
        "search.load_table\n"
        "params.search.clear(); params.search['max_leaf_nodes'] = [4, 8]; search.read_params = lambda: params\n"
        "search.load_table = lambda data: load(data).tail(20_000)\n"
        "print(search.search())"
    )
    before = len(context.tracking.runs("search"))
    context.command("python", "-c", script)
    found = [run for run in context.tracking.runs("search")[before:] if run["params"] and run["metrics"]]
    context.note(json.dumps([run["metrics"] for run in found]))
    return len(found)

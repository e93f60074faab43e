"""Can a model be trained without a screen, again, on time, with a record, and is a bad training stopped?"""

import json
import math
from typing import Any

from ..scenario.context import Scene
from ..scenario.scenario import Played
from .data import sources
from .probe import Finding, absent, holds, present, probe

FIGURES = ("holdout_log_loss", "holdout_auc", "train_log_loss")


def trainings(scene: Scene) -> list[dict[str, Any]]:
    """Return the finished training runs, oldest first."""
    return [
        run
        for run in scene.runs()
        if run["status"] == "FINISHED" and run["metrics"] and run["tags"].get("trigger")
    ]


@probe("EXP-01")
def only_from_notebooks(played: Played) -> Finding:
    """Every fit is in a notebook, and its cell means nothing without the ones before it."""
    places = [(name, code) for name, code in sources(played.scene) if ".fit(" in code]
    in_notebooks = [(name, code) for name, code in places if ".ipynb" in name]
    if not places or len(in_notebooks) < len(places):
        return absent(f"models are fitted in {', '.join(name for name, _ in places)}")
    name, code = in_notebooks[0]
    done = played.scene.command("python", "-c", code)
    alone = (done.stderr.strip().splitlines() or ["it runs"])[-1]
    return holds(
        done.returncode != 0, f"only {name} fits a model; run out of order it fails: {alone}", f"{name} runs alone"
    )


@probe("EXP-02")
def experiments_are_tracked(played: Played) -> Finding:
    """Two trainings or more are on record, whole, and the best can be asked for."""
    runs = played.scene.runs()
    whole = [
        run
        for run in runs
        if run["params"] and run["metrics"] and run["tags"].get("commit") and run.get("end_time")
    ]
    ids = list({run["experiment_id"] for run in whole})
    query = {"experiment_ids": ids, "order_by": ["metrics.holdout_log_loss ASC"], "max_results": 1}
    best = played.scene.tracked("runs/search", "POST", **query).get("runs", []) if ids else []
    says = f"{len(whole)} of {len(runs)} runs have parameters, metrics, commit, data and times"
    return holds(len(whole) >= 2 and bool(best), f"{says}; the best one was asked for and found", says)


@probe("TRN-01")
def headless_pipeline(played: Played) -> Finding:
    """A training without a terminal finished, and its steps ran one after the other."""
    scene = played.scene
    if not trainings(scene):
        done = scene.command("python", "-m", scene.stage.package, "train")
        return absent(f"no training command: {(done.stderr.strip().splitlines() or ['none'])[-1][:120]}")
    flows = [each for each in scene.pipeline("flow_runs", limit=100) if each["state_type"] == "COMPLETED"]
    for flow in sorted(flows, key=lambda each: each["start_time"]):
        tasks = scene.pipeline("task_runs", task_runs={"flow_run_id": {"any_": [flow["id"]]}}, limit=50)
        names = [
            each["task_key"].rpartition(".")[2].partition("-")[0]
            for each in sorted(tasks, key=lambda each: str(each["start_time"]))
        ]
        if len(names) >= 5:
            return present(f"flow {flow['name']}: {' > '.join(names)}, without a terminal")
    return absent("trainings finished, but no pipeline of steps is on record")


@probe("TRN-02")
def same_again(played: Played) -> Finding:
    """Training once more on the first run's snapshot gives the same figures to 1e-12."""
    runs, again = trainings(played.scene), played.flawed.get("again")
    if again is None or not again.version:
        return absent("no training can be started again from what it once learned from")
    run_id = played.scene.versions()[again.version]["run_id"]
    (second,) = (run for run in runs if run["run_id"] == run_id)
    first = next(run for run in runs if run["tags"]["snapshot"] == second["tags"]["snapshot"])
    pairs = [(first["metrics"][name], second["metrics"][name]) for name in FIGURES]
    same = all(math.isclose(a, b, rel_tol=0, abs_tol=1e-12) for a, b in pairs)
    return holds(same, f"log loss {pairs[0][0]!r} twice", f"{pairs[0][0]!r}, then {pairs[0][1]!r}")


@probe("TRN-04")
def a_calendar_trains(played: Played) -> Finding:
    """On the first Monday of a month a training ran, and nobody was there."""
    runs = [run for run in trainings(played.scene) if run["tags"]["trigger"] == "schedule"]
    return holds(
        bool(runs),
        f"{played.seen[0].said[:160]}",
        f"nothing was trained in {len(played.seen)} days without people",
    )


@probe("TRN-05")
def metadata_is_whole(played: Played) -> Finding:
    """A run has all seven groups of metadata, and the model before it is one that exists."""
    scene, best = played.scene, (0, "")
    for run in trainings(scene):
        tags, metrics, info = run["tags"], run["metrics"], run
        groups = {
            "versions": tags.get("commit") and tags.get("lock"),
            "times": info.get("start_time")
            and info.get("end_time")
            and any(name.startswith("seconds_") for name in metrics),
            "executor": tags.get("mlflow.user") or info.get("user_id"),
            "arguments": run["params"],
            "artefacts": info.get("artifact_uri")
            and any(each["run_id"] == run["run_id"] for each in scene.versions().values()),
            "model before": tags.get("previous_model") in scene.versions(),
            "metrics": all(name in metrics for name in FIGURES),
        }
        missing = [name for name, value in groups.items() if not value]
        if not missing:
            return present(f"run {run['run_id']} has {', '.join(groups)}")
        best = max(best, (len(groups) - len(missing), f"lacks {', '.join(missing)}"))
    return absent(f"no run is whole: {best[1] or 'none is on record'}")


@probe("TRN-07")
def modules_not_notebooks(played: Played) -> Finding:
    """What fits a model can be imported in a process that has opened no notebook."""
    scene = played.scene
    modules = [name for name, code in sources(scene) if name.endswith(".py") and ".fit(" in code]
    for name in modules:
        dotted = name.removesuffix(".py").replace("/", ".")
        script = (
            f"import sys, {dotted}; sys.exit(any(name in sys.modules for name in ('nbformat', "
            "'ipykernel', 'nbclient')))"
        )
        if scene.command("python", "-c", script).returncode == 0:
            return present(f"{name} can be imported, and opens no notebook", name)
    return absent(
        f"{len(modules)} modules fit a model" if not modules else f"{modules[0]} cannot be imported alone"
    )


@probe("TRN-08")
def diverging_is_stopped(played: Played) -> Finding:
    """A learning rate of a million leaves no model."""
    outcome = played.flawed["diverging"]
    left = bool(outcome.version or outcome.served or outcome.delivered)
    return holds(
        not left,
        f"learning rate 1e6: {outcome.said[:160]}",
        f"learning rate 1e6 gave a model: {outcome.said[:160]}",
    )


@probe("TRN-09")
def simple_models_compete(played: Played) -> Finding:
    """A model no better than a simple one is refused, and a search leaves a record of what it tried."""
    useless = played.flawed.get("useless")
    if useless is None or useless.version or not useless.said:
        return absent("nothing compares a model with a simple one")
    searched = _searched(played.scene)
    says = f"refused: {useless.said[:120]}; {searched} combinations on record"
    return holds(searched >= 2, says, f"{says}, so the search leaves none")


def _searched(scene: Scene) -> int:
    """Run the level's search on two combinations and count the runs it leaves."""
    script = (
        f"from {scene.stage.package}.training import search; usual, load = search.read_params(), "
        "search.load_table\n"
        "search.read_params = lambda: usual | {'search': {'max_leaf_nodes': [4, 8]}}\n"
        "search.load_table = lambda data: load(data).tail(20_000)\n"
        "print(search.search())"
    )
    before = len(scene.runs("search"))
    scene.command("python", "-c", script)
    found = [run for run in scene.runs("search")[before:] if run["params"] and run["metrics"]]
    scene.note(json.dumps([run["metrics"] for run in found]))
    return len(found)

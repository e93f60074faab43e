"""Candidates with a seeded defect: what a level's gates are for.

`python -m shared.world.bad_models LEVEL KIND` trains one in a stage, beside the level's own pipeline, and prints
what came of it as one JSON object.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

from ..base import ROOT, StageError
from ..stack.stage import Stage

SHARE_FLIPPED, SHARE_LOST = 0.3, 0.5
SMALL_SHARE = 0.02  # of the flights: an airline with fewer is small


def all_labels_flipped(table: pd.DataFrame) -> pd.DataFrame:
    """Turn three labels in ten around, wherever they are."""
    return flip_labels(table, np.full(len(table), True))


def flip_labels(table: pd.DataFrame, where: np.ndarray) -> pd.DataFrame:
    """Turn three labels in ten around, among those rows."""
    flipped = where & (np.random.default_rng(0).random(len(table)) < SHARE_FLIPPED)
    late = (table["arrival_delay"] >= 15).to_numpy() ^ flipped
    return table.assign(arrival_delay=np.where(late, 60.0, 0.0))


def one_airport_lost(table: pd.DataFrame) -> pd.DataFrame:
    """Lose half of the delays at one airport."""
    return lose_delays(table, (table["origin"] == "JFK").to_numpy())


def lose_delays(table: pd.DataFrame, where: np.ndarray) -> pd.DataFrame:
    """Lose half of the delays, among those rows."""
    lost = where & (np.random.default_rng(0).random(len(table)) < SHARE_LOST)
    return table.assign(arrival_delay=table["arrival_delay"].where(~lost, 0.0))


def small_airlines_flipped(table: pd.DataFrame) -> pd.DataFrame:
    """Turn three labels in ten around, at the small airlines only."""
    share = table["carrier"].map(table["carrier"].value_counts(normalize=True))
    return flip_labels(table, (share < SMALL_SHARE).to_numpy())


def flipped_labels(tasks: Any, _delivery: Any) -> None:
    """Bad: the labels of three flights in ten were turned around."""
    _train_on(tasks, all_labels_flipped)


def one_bad_airport(tasks: Any, _delivery: Any) -> None:
    """Local: good overall, but at one airport half the delays had been lost before it was trained."""
    _train_on(tasks, one_airport_lost)


def small_airlines(tasks: Any, _delivery: Any) -> None:
    """Small: good overall, but at the small airlines the labels of three flights in ten were turned around."""
    _train_on(tasks, small_airlines_flipped)


def slow(_tasks: Any, delivery: Any) -> None:
    """Slow: says the right thing, after multiplying large matrices for nothing."""
    _change_model(delivery, _add_work)


def missing_operator(_tasks: Any, delivery: Any) -> None:
    """Broken: needs an operator that no serving environment has."""

    def change(model: Any) -> None:
        model.graph.node[-1].domain = "a.package.nobody.installed"
        model.opset_import.add(domain="a.package.nobody.installed", version=1)

    _change_model(delivery, change)


def renamed_input(_tasks: Any, delivery: Any) -> None:
    """Renamed: takes `temperature` where the application gives `temp`."""

    def change(model: Any) -> None:
        for tensor in model.graph.input:
            tensor.name = "temperature" if tensor.name == "temp" else tensor.name
        for node in model.graph.node:
            node.input[:] = ["temperature" if name == "temp" else name for name in node.input]

    _change_model(delivery, change)


KINDS: dict[str, Callable[[Any, Any], None] | None] = {
    "good": None,
    "bad": flipped_labels,
    "local": one_bad_airport,
    "small": small_airlines,
    "slow": slow,
    "broken": missing_operator,
    "renamed": renamed_input,
}


PACKAGED = "slow", "broken", "renamed"  # defects of a package, which is not there before there is a delivery


@dataclass(frozen=True)
class Delivery:
    """What came of a candidate: it went on towards production, or was refused."""

    delivered: bool
    text: str


def deliver_candidate(stage: Stage, kind: str) -> Delivery:
    """Let a stage train a candidate of some kind and deliver it.

    Raises:
        StageError: the level has no such kind, or the training itself failed.
    """
    packages = (ROOT / stage.package / "delivery").exists()
    kinds = [name for name in KINDS if packages or name not in PACKAGED]
    if kind not in kinds:
        raise StageError(
            f"level {stage.number} has no candidate of kind {kind!r}: choose KIND among {', '.join(kinds)}"
        )
    printed = stage.lend("shared.world.bad_models", stage.package, kind)
    return Delivery(**json.loads(printed.strip().splitlines()[-1]))


def _train(level: str, kind: str) -> Delivery:
    tasks = importlib.import_module(f"{level}.training.tasks")
    packages = find_spec(f"{level}.delivery")
    if seed_defect := KINDS[kind]:
        seed_defect(tasks, importlib.import_module(f"{level}.delivery.tasks") if packages else None)
    try:
        version = importlib.import_module(f"{level}.training.pipeline").start_training("manual")
    except importlib.import_module(f"{level}.errors").StageError as error:
        return Delivery(False, f"refused in its training: {error}")
    if not packages:
        return Delivery(True, f"version {version} is registered; a person releases it, or does not")
    event = importlib.import_module(f"{level}.delivery.pipeline").attempt(version)
    return Delivery(event.kind == "delivered", event.text)


def _train_on(tasks: Any, corrupt: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Corrupt what the candidate is trained on, and leave the held-out days alone."""
    hold_out = tasks.hold_out

    def corrupted(table: pd.DataFrame, days: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        past, recent = hold_out(table, days)
        return corrupt(past), recent

    tasks.hold_out = corrupted


def _change_model(delivery: Any, change: Callable[[Any], None]) -> None:
    """Change the packaged model after it was packaged, the digest with it: the package itself is whole."""
    import onnx

    package = delivery.package
    artifact = importlib.import_module(f"{os.environ['LEVEL']}.registry.artifact")

    def packaged(model: Any, recent: Any, metadata: Any, folder: Any) -> str:
        package(model, recent, metadata, folder)
        path = folder / artifact.MODEL
        converted = onnx.load(path)
        change(converted)
        onnx.save(converted, path)
        return str(artifact.digest_of(folder))

    delivery.package = packaged


def _add_work(model: Any) -> None:
    """Multiply random matrices and add nothing of the result, after the model has answered."""
    from onnx import helper, numpy_helper

    graph, size = model.graph, 1500
    matrix = np.random.default_rng(0).normal(size=(size, size)).astype(np.float32) / size
    graph.initializer.append(numpy_helper.from_array(matrix, "work"))
    graph.initializer.append(numpy_helper.from_array(np.zeros(1, np.float32), "nothing"))
    graph.initializer.append(numpy_helper.from_array(np.array([1], np.int64), "one"))
    last = next(node for node in graph.node if "probabilities" in node.output)
    last.output[list(last.output).index("probabilities")] = "answered"
    rounds = 3
    graph.node.append(helper.make_node("ReduceMax", ["answered"], ["largest"], keepdims=0))
    graph.node.append(helper.make_node("Mul", ["work", "largest"], ["work0"]))
    for n in range(rounds):
        graph.node.append(helper.make_node("MatMul", [f"work{n}", "work"], [f"work{n + 1}"]))
    graph.node.append(helper.make_node("ReduceMax", [f"work{rounds}"], ["done"], keepdims=0))
    graph.node.append(helper.make_node("Mul", ["done", "nothing"], ["zero"]))
    graph.node.append(helper.make_node("Add", ["answered", "zero"], ["probabilities"]))


if __name__ == "__main__":
    with redirect_stdout(sys.stderr):  # libraries print too
        delivery = _train(*sys.argv[1:])
    print(json.dumps(asdict(delivery)))

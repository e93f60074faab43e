"""Offer trainings with seeded defects to a level's own pipeline, in a process of the stage.

`python -m shared.assessment.scenario.fault_injection LEVEL MD5` prints one JSON object, an outcome by defect, or
`null` where the level has no pipeline; nothing of the level is imported by whoever started it.
"""

import importlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...world.bad_models import KINDS
from .seeded_defects import BROKEN_DAY, Outcome, break_values

EARLY = "2013-02-15"  # little data is enough to see that nothing comes of it
SEEDED = {"bad": ("bad", "renamed"), "local": ("local", "small", "slow"), "broken": ("broken",)}
IN_THE_DATA = ("bad", "local", "small")  # these need no package to be seeded in


class Pipeline:
    """A level's training and delivery, with a defect in them for a while."""

    def __init__(self, level: str) -> None:
        self.training: Any = importlib.import_module(f"{level}.training.pipeline")
        self.tasks: Any = importlib.import_module(f"{level}.training.tasks")
        self.errors: Any = importlib.import_module(f"{level}.errors")
        try:
            self.delivery: Any = importlib.import_module(f"{level}.delivery.pipeline")
            self.delivery_tasks: Any = importlib.import_module(f"{level}.delivery.tasks")
        except ModuleNotFoundError:
            self.delivery = self.delivery_tasks = None

    def attempt(self, *arguments: Any, deliver: bool = False) -> Outcome:
        """Train, and deliver where that is asked for and there is a way; return what came of it."""
        outcome = Outcome("")
        try:
            outcome.version = str(self.training.start_training("manual", *arguments))
            outcome.message = f"version {outcome.version} is registered"
            if deliver and self.delivery:
                outcome.message = str(self.delivery.deliver(outcome.version))
            outcome.delivered = True
        except self.errors.StageError as error:
            outcome.message = str(error)
        return outcome

    @contextmanager
    def hyperparameters(self, **changed: Any) -> Iterator[None]:
        """Train with other hyperparameters."""
        read_params = self.training.read_params
        params = read_params()
        other = params.model_copy(update={"model": params.model.model_copy(update=changed)})
        self.training.read_params = lambda: other
        try:
            yield
        finally:
            self.training.read_params = read_params

    @contextmanager
    def seeded(self, *kinds: str) -> Iterator[tuple[str, ...]]:
        """Seed defects in the data of candidates, and in their package where there is one; name them."""
        hold_out, package = self.tasks.hold_out, getattr(self.delivery_tasks, "package", None)
        possible = tuple(kind for kind in kinds if self.delivery or kind in IN_THE_DATA)
        try:
            for kind in possible:
                if seed_defect := KINDS[kind]:
                    seed_defect(self.tasks, self.delivery_tasks)
            yield possible
        finally:
            self.tasks.hold_out = hold_out
            if self.delivery:
                self.delivery_tasks.package = package


def inject_defects(pipeline: Pipeline, snapshot: str) -> dict[str, Outcome]:
    """Train the same again, then with one defect after the other."""
    outcomes = {"again": pipeline.attempt(snapshot, deliver=True)} if snapshot else {}
    with pipeline.hyperparameters(learning_rate=1e6, max_iter=20):
        outcomes["diverging"] = pipeline.attempt(None, EARLY)
    with pipeline.hyperparameters(learning_rate=1e-9, max_iter=5):
        outcomes["useless"] = pipeline.attempt(None, EARLY)
    dropped = Path(os.environ["STAGE"], "drop", "flights", f"{BROKEN_DAY}.parquet")
    whole = dropped.read_bytes()
    break_values(dropped)
    outcomes["broken data"] = pipeline.attempt()
    dropped.write_bytes(whole)
    for name, kinds in SEEDED.items():
        if name == "broken" and not pipeline.delivery:
            continue
        with pipeline.seeded(*kinds) as seeded:
            outcomes[name] = pipeline.attempt(deliver=True)
            outcomes[name].seeded = seeded
    return outcomes


def main() -> None:
    """Offer all defects; libraries print to standard error."""
    with redirect_stdout(sys.stderr):
        try:
            pipeline = Pipeline(sys.argv[1])
        except ModuleNotFoundError:
            outcomes = None
        else:
            outcomes = {name: asdict(outcome) for name, outcome in inject_defects(pipeline, sys.argv[2]).items()}
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main()

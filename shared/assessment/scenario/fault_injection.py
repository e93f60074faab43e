"""Offer flawed trainings to a level's own pipeline, in a process of the stage.

`python -m shared.assessment.scenario.fault_injection LEVEL MD5` prints one JSON object, an outcome by flaw;
nothing of the level is imported by whoever started it.
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
PLANTED = {"bad": ("bad", "renamed"), "local": ("local", "slow"), "broken": ("broken",)}


class Pipeline:
    """A level's training and delivery, with something wrong in them for a while."""

    def __init__(self, level: str) -> None:
        self.level = level
        self.flow: Any = importlib.import_module(f"{level}.training.pipeline")
        self.steps: Any = importlib.import_module(f"{level}.training.tasks")
        self.errors: Any = importlib.import_module(f"{level}.errors")
        try:
            self.delivery: Any = importlib.import_module(f"{level}.delivery.pipeline")
        except ModuleNotFoundError:
            self.delivery = None

    def attempt(self, *arguments: Any, deliver: bool = False) -> Outcome:
        """Train, and deliver where that is asked for and there is a way; say what came of it."""
        outcome = Outcome("")
        try:
            outcome.version = str(self.flow.start_training("manual", *arguments))
            outcome.said = f"version {outcome.version} is registered"
            if deliver and self.delivery:
                outcome.said = str(self.delivery.deliver(outcome.version))
            outcome.delivered = True
        except self.errors.StageError as error:
            outcome.said = str(error)
        return outcome

    @contextmanager
    def parameters(self, **changed: Any) -> Iterator[None]:
        """Train with other parameters."""
        usual = self.steps.read_params
        self.steps.read_params = lambda: usual() | {"model": usual()["model"] | changed}
        try:
            yield
        finally:
            self.steps.read_params = usual

    @contextmanager
    def planted(self, *kinds: str) -> Iterator[tuple[str, ...]]:
        """Spoil what candidates learn from, and the package that is made of them where there is one; name both."""
        hold_out, package = self.steps.hold_out, getattr(self.delivery, "package", None)
        try:
            possible = tuple(kind for kind in kinds if self.delivery or kind in ("bad", "local"))
            for kind in possible:
                if spoil := KINDS[kind]:
                    spoil(self.steps, self.delivery)
            yield possible
        finally:
            self.steps.hold_out = hold_out
            if self.delivery:
                self.delivery.package = package


def sabotage(pipeline: Pipeline, snapshot: str) -> dict[str, Outcome]:
    """Train the same again, then with one flaw after the other."""
    outcomes = {"again": pipeline.attempt(snapshot, deliver=True)} if snapshot else {}
    with pipeline.parameters(learning_rate=1e6, max_iter=20):
        outcomes["diverging"] = pipeline.attempt(None, EARLY)
    with pipeline.parameters(learning_rate=1e-9, max_iter=5):
        outcomes["useless"] = pipeline.attempt(None, EARLY)
    dropped = Path(os.environ["STAGE"], "drop", "flights", f"{BROKEN_DAY}.parquet")
    whole = dropped.read_bytes()
    break_values(dropped)
    outcomes["broken data"] = pipeline.attempt()
    dropped.write_bytes(whole)
    for name, kinds in PLANTED.items():
        if name == "broken" and not pipeline.delivery:
            continue
        with pipeline.planted(*kinds) as planted:
            outcomes[name] = pipeline.attempt(deliver=True)
            outcomes[name].planted = planted
    return outcomes


def main() -> None:
    """Run all flaws; libraries talk on standard error."""
    with redirect_stdout(sys.stderr):
        try:
            pipeline = Pipeline(sys.argv[1])
        except ModuleNotFoundError as error:
            told: dict[str, Any] = {"no pipeline": str(error)}
        else:
            told = {name: asdict(outcome) for name, outcome in sabotage(pipeline, sys.argv[2]).items()}
    print(json.dumps(told))


if __name__ == "__main__":
    main()

"""The operator: a robot that does what people do at a level, and only what its HUMAN_STEPS.yaml names."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import yaml

from ..base import ROOT
from .stage import Stage


@dataclass(frozen=True)
class Step:
    """One step of a person; without a command it is a thought."""

    id: str
    role: str
    when: str
    does: str
    command: str = ""
    trains: bool = False  # makes a model: not needed where one waits already
    where: str = "stage"


def read_steps(package: str) -> list[Step]:
    """Return the human steps of a level, in order."""
    return [Step(**step) for step in yaml.safe_load((ROOT / package / "HUMAN_STEPS.yaml").read_text())["steps"]]


class Operator:
    """Performs the human steps of a stage, and remembers which."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.steps = read_steps(stage.package)
        self.done: list[Step] = []

    def release(self, day: date, first: bool = False) -> None:
        """Make a model and bring it into service, by hand."""
        self._perform(day, self.steps_of({"release", "first release" if first else "next release"}))

    def release_what_waits(self, day: date) -> None:
        """Release a model that waits already."""
        steps = self.steps_of({"release", "next release"})
        made = max((n for n, step in enumerate(steps) if step.trains), default=-1)
        self._perform(day, steps[made + 1 :])

    def look(self, day: date) -> None:
        """Look at what the stage will not decide alone, and let it go on."""
        self._perform(day, self.steps_of({"hold"}))

    def daily(self, day: date) -> None:
        """Do what has to be done every day."""
        self._perform(day, self.steps_of({"daily"}))

    def steps_of(self, occasions: set[str]) -> list[Step]:
        """Return the steps of some occasions, in order."""
        return [step for step in self.steps if step.when in occasions]

    def _perform(self, day: date, steps: Iterable[Step]) -> None:
        for step in steps:
            if step.command:
                self.stage.run(step.command, step.where, DAY=str(day))
            self.done.append(step)

"""The robot operator: does what people do at a level, and only what its HUMAN_STEPS.yaml names."""

from dataclasses import dataclass
from datetime import date

import yaml

from .stage import ROOT, Stage


@dataclass(frozen=True)
class Step:
    """One thing a person does; without a command it is a thought."""

    id: str
    role: str
    when: str
    does: str
    command: str = ""
    where: str = "stage"


def read_steps(package: str) -> list[Step]:
    """Return the human steps of a level, in order."""
    return [Step(**step) for step in yaml.safe_load((ROOT / package / "HUMAN_STEPS.yaml").read_text())["steps"]]


class People:
    """Performs a stage's human steps and remembers which."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.steps = read_steps(stage.package)
        self.done: list[Step] = []

    def release(self, day: date, first: bool = False) -> None:
        """Make a model and bring it into service, by hand."""
        self._perform(day, {"release"} if first else {"release", "next release"})

    def daily(self, day: date) -> None:
        """Do what has to be done every day."""
        self._perform(day, {"daily"})

    def _perform(self, day: date, occasions: set[str]) -> None:
        for step in self.steps:
            if step.when in occasions:
                if step.command:
                    self.stage.run(step.command, step.where, DAY=str(day))
                self.done.append(step)

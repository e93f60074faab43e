"""A simulation as it is judged: its event log, and every flight with its prediction and how it ended."""

from dataclasses import dataclass

import pandas as pd

from ..simulation.event_log import Event, EventLog
from ..simulation.scenario import Scenario
from ..world.dataset import LATE_MINUTES, Year
from ..world.quality import log_losses


@dataclass(frozen=True)
class Result:
    """The result of one simulation."""

    event_log: EventLog
    flights: pd.DataFrame  # by flight_id: day, late (NaN: never arrived), answer (NaN: none), loss

    @classmethod
    def read(cls, scenario: Scenario, year: Year) -> "Result":
        """Read the result of a simulation that is finished."""
        files = sorted((scenario.folder() / "answers").glob("*.parquet"))
        answer = pd.concat([pd.read_parquet(path) for path in files])["late_probability"]
        outcomes = year.outcomes.reset_index().set_index("flight_id").loc[answer.index]
        late = (outcomes["arrival_delay"] >= LATE_MINUTES).astype(float).where(outcomes["arrival_delay"].notna())
        loss = pd.Series(log_losses(late, answer), answer.index).where(late.notna())
        table = pd.DataFrame({"day": outcomes["day"], "late": late, "answer": answer, "loss": loss})
        return cls(scenario.event_log(), table)

    @property
    def first(self) -> str:
        """Return the first day."""
        return str(self.event_log.events[0]["day"])

    def releases(self) -> list[Event]:
        """Return the models that got all traffic, but for the first one."""
        deployments = self.event_log.of("deployment")
        return [event for event in deployments if event["kind"] == "model" and event["share"] == 1][1:]

    def trained(self, release: Event) -> str:
        """Return the day on which a released model was trained."""
        trainings = self.event_log.of("training")
        for training in trainings:
            if training["name"] == release["name"]:
                return str(training["day"])
        return str([training["day"] for training in trainings if training["day"] <= release["day"]][-1])

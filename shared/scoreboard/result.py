"""A simulation as it is judged: its event log, and every flight with its prediction and how it ended."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from ..base import StageError
from ..simulation.event_log import Event, EventLog
from ..simulation.scenario import Scenario
from ..world.dataset import LATE_MINUTES, Year
from ..world.quality import log_losses

SAME = 0.001  # an answer this close to the replay's is the same one: a level may round what it answers


@dataclass(frozen=True)
class Result:
    """The result of one simulation."""

    event_log: EventLog
    # By flight_id: day, late (NaN: never arrived), answer (NaN: none) and its loss; model and intercept that made
    # it; clean, clean_loss: what they say about the flight as it really was.
    flights: pd.DataFrame
    replayed: pd.DataFrame  # each model's probability for each flight of the period, as it really was

    @classmethod
    def read(cls, scenario: Scenario, year: Year) -> "Result":
        """Read the result of a simulation that is finished."""
        files = sorted((scenario.folder() / "answers").glob("*.parquet"))
        answers = pd.concat([pd.read_parquet(path) for path in files]).rename(
            columns={"late_probability": "answer"}
        )
        outcomes = year.outcomes.reset_index().set_index("flight_id").loc[answers.index]
        late = (outcomes["arrival_delay"] >= LATE_MINUTES).astype(float).where(outcomes["arrival_delay"].notna())
        return cls.of(
            scenario.event_log(),
            answers.assign(day=outcomes["day"], late=late),
            pd.read_parquet(scenario.replayed()),
        )

    @classmethod
    def of(cls, event_log: EventLog, flights: pd.DataFrame, replayed: pd.DataFrame) -> "Result":
        """Return the result, given what was answered and what the models say about the real input."""
        loss = losses(flights["late"], flights["answer"])
        clean = clean_answers(flights["model"], flights["intercept"], replayed)
        clean_loss = losses(flights["late"], clean)
        return cls(event_log, flights.assign(loss=loss, clean=clean, clean_loss=clean_loss), replayed)

    def check_replay(self) -> None:
        """Check that the replay gives what was answered: in a year without incidents nothing lies between them.

        Raises:
            StageError: it does not.
        """
        off = int(((self.flights["answer"] - self.flights["clean"]).abs() > SAME).sum())
        if off:
            level = self.event_log.events[0].get("level")
            raise StageError(
                f"the replay of level {level}'s calm year differs from {off:,} of its answers: what the level "
                "adds to its model has to be named in the answer, or done in shared/simulation/replay.py"
            )

    @property
    def first(self) -> str:
        """Return the first day."""
        return str(self.event_log.events[0]["day"])

    def champions(self) -> list[Event]:
        """Return the models that got all traffic."""
        deployments = self.event_log.of("deployment")
        return [event for event in deployments if event["kind"] == "model" and event["share"] == 1]

    def releases(self) -> list[Event]:
        """Return the models that got all traffic, but for the first one."""
        return self.champions()[1:]

    def trained(self, release: Event) -> str:
        """Return the day on which a released model was trained."""
        trainings = self.event_log.of("training")
        for training in trainings:
            if training["name"] == release["name"]:
                return str(training["day"])
        return str([training["day"] for training in trainings if training["day"] <= release["day"]][-1])

    def released_later(self, days: int) -> "pd.Series[float]":
        """Return each flight's loss if every release but the first had come so many days later."""
        champions = self.champions()
        serving = pd.Series(champions[0]["name"], sorted(self.flights["day"].unique()))
        for release in champions[1:]:
            serving[serving.index >= str(date.fromisoformat(release["day"]) + timedelta(days=days))] = release[
                "name"
            ]
        model = self.flights["day"].map(serving).where(self.flights["answer"].notna())
        return losses(self.flights["late"], clean_answers(model, self.flights["intercept"], self.replayed))


def losses(late: "pd.Series[float]", answer: "pd.Series[float]") -> "pd.Series[float]":
    """Return each flight's log loss; NaN where there was no answer or no arrival."""
    return pd.Series(log_losses(late, answer), answer.index).where(late.notna() & answer.notna())


def clean_answers(
    model: "pd.Series[str]", intercept: "pd.Series[float]", replayed: pd.DataFrame
) -> "pd.Series[float]":
    """Return what each flight's model says about it as it really was, the intercept added to the logit."""
    rows, columns = replayed.index.get_indexer(model.index), replayed.columns.get_indexer(pd.Index(model))
    if (lost := set(model[columns < 0].dropna())) or (rows < 0).any():
        raise StageError(
            f"the replay lacks flights, or models that answered: {', '.join(lost) or 'all are there'}"
        )
    probability = np.clip(replayed.to_numpy(dtype=float)[rows, columns], 1e-15, 1 - 1e-15)
    logit = np.log(probability / (1 - probability)) + intercept
    return (1 / (1 + np.exp(-logit))).where(model.notna())

"""One play as it is judged: its ledger, and every flight with its answer and how it ended."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..simulation.event_log import Event, Ledger
from ..world.dataset import LATE_MINUTES, Year


@dataclass(frozen=True)
class Played:
    """One play: its ledger, and every flight with its answer and how it ended."""

    ledger: Ledger
    flights: pd.DataFrame  # by flight_id: day, late (NaN: never arrived), answer (NaN: none), loss

    @classmethod
    def read(cls, folder: Path, year: Year) -> "Played":
        """Read a play that is finished."""
        answers = pd.concat([pd.read_parquet(path) for path in sorted((folder / "answers").glob("*.parquet"))])
        outcomes = year.outcomes.reset_index().set_index("flight_id").loc[answers.index]
        late = (outcomes["arrival_delay"] >= LATE_MINUTES).astype(float).where(outcomes["arrival_delay"].notna())
        answer = answers["late_probability"]
        said = answer.clip(1e-15, 1 - 1e-15)
        loss = -np.log(said.where(late == 1, 1 - said)).where(late.notna())
        table = pd.DataFrame({"day": outcomes["day"], "late": late, "answer": answer, "loss": loss})
        return cls(Ledger(folder / "ledger.jsonl"), table)

    @property
    def first(self) -> str:
        """Return the first day."""
        return str(self.ledger.events[0]["day"])

    def releases(self) -> list[Event]:
        """Return the models that got all traffic, but for the first one."""
        full = [each for each in self.ledger.of("deployment") if each["kind"] == "model" and each["share"] == 1]
        return full[1:]

    def trained(self, release: Event) -> str:
        """Return the day on which a released model was trained."""
        for each in self.ledger.of("training"):
            if each["name"] == release["name"]:
                return str(each["day"])
        return str([each["day"] for each in self.ledger.of("training") if each["day"] <= release["day"]][-1])

"""What people see while days are played: a line a day, and on a terminal who answers and how well."""

from collections import deque
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..console import progress_bar
from ..stack.stage import Answer
from ..world.dataset import LATE_MINUTES

MODELS_SHOWN, EVENTS_SHOWN = 4, 3


@dataclass
class Score:
    """What is known of the answers that one model gave in one role."""

    today: int = 0  # flights
    flights: int = 0
    judged: int = 0
    losses: float = 0.0  # sum of log losses

    @property
    def log_loss(self) -> str:
        """Return the mean so far."""
        return f"{self.losses / self.judged:.4f}" if self.judged else "not known yet"


class Scores:
    """Who answered how many flights, and how well as far as it is known how they ended."""

    def __init__(self) -> None:
        self.of: dict[tuple[str, str], Score] = {}
        self._unjudged: dict[str, Answer] = {}

    def answered(self, answers: Mapping[str, Answer]) -> None:
        """Count the answers of one day."""
        for score in self.of.values():
            score.today = 0
        for answer in answers.values():
            score = self.of.setdefault((answer.arm, answer.model), Score())
            score.today += 1
            score.flights += 1
        self._unjudged |= answers

    def ended(self, outcomes: pd.DataFrame) -> None:
        """Judge the answers whose outcomes are now known."""
        for flight, delay in zip(outcomes["flight_id"], outcomes["arrival_delay"], strict=True):
            answer = self._unjudged.pop(flight, None)
            if answer is not None and not np.isnan(delay):
                score = self.of[answer.arm, answer.model]
                said = answer.late_probability if delay >= LATE_MINUTES else 1 - answer.late_probability
                score.judged += 1
                score.losses -= float(np.log(max(said, 1e-15)))


class Panel:
    """Prints a line for every day; on a terminal it also keeps the panel up to date, while it is entered."""

    def __init__(self, console: Console, days: int) -> None:
        self.console = console
        self.scores = Scores()
        self._events: deque[str] = deque(maxlen=EVENTS_SHOWN)
        self._progress = progress_bar()
        self._bar = self._progress.add_task("", total=days)

    def shown(self) -> AbstractContextManager[object]:
        """Show the panel while this is entered; without a terminal there are only lines."""
        return (
            Live(self, console=self.console, refresh_per_second=4) if self.console.is_terminal else nullcontext()
        )

    def say(self, line: str) -> None:
        """Print what happened by itself on a day; what goes beyond the day's routine stays on the panel."""
        self.console.print(f"  {line}", markup=False)
        day, _, routine = line.partition(": ")
        self._events += [f"{day}: {event}" for event in routine.split("; ")[1:]]

    def begin(self, day: date) -> None:
        """Show which day it is."""
        self._progress.update(self._bar, description=f"{day}")

    def answered(self, answers: Mapping[str, Answer]) -> None:
        """Show who answered the flights of a day."""
        self.scores.answered(answers)
        self._progress.advance(self._bar)

    def __rich__(self) -> RenderableType:
        """Return the panel as it is now."""
        table = Table("arm", "model", "of today's flights", "flights", "log loss so far", box=None, padding=(0, 2))
        today = sum(score.today for score in self.scores.of.values())
        for (arm, model), score in list(self.scores.of.items())[-MODELS_SHOWN:]:
            share = f"{score.today / today:.0%}" if today else ""
            table.add_row(arm or "-", model or "-", share, f"{score.flights:,}", score.log_loss)
        return Group(self._progress, table, *map(Text, self._events))

"""The live view of a play: a line a day, and on a terminal which model serves which share, and how well."""

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Column, Table
from rich.text import Text

from ..console import progress_bar
from ..stack.stage import Answer, Event
from ..world.dataset import LATE_MINUTES
from ..world.quality import log_losses

MODELS_SHOWN, EVENTS_SHOWN = 4, 3
ROUTINE = {"collected"}  # kinds of events that every day has


@dataclass
class Score:
    """The score of one model in one arm."""

    today: int = 0  # flights
    flights: int = 0
    landed: int = 0
    losses: float = 0.0  # sum of log losses

    @property
    def log_loss(self) -> str:
        """Return the mean so far."""
        return f"{self.losses / self.landed:.4f}" if self.landed else "not known yet"


class Scores:
    """Which model served how many flights, and how well as far as outcomes have landed."""

    def __init__(self) -> None:
        self.of: dict[tuple[str, str], Score] = {}
        self._open: dict[str, Answer] = {}

    def answered(self, answers: Mapping[str, Answer]) -> None:
        """Count the predictions of one day."""
        for score in self.of.values():
            score.today = 0
        for answer in answers.values():
            score = self.of.setdefault((answer.arm, answer.model), Score())
            score.today += 1
            score.flights += 1
        self._open |= answers

    def landed(self, outcomes: pd.DataFrame) -> None:
        """Score the predictions whose outcomes have landed."""
        for flight, delay in zip(outcomes["flight_id"], outcomes["arrival_delay"], strict=True):
            answer = self._open.pop(flight, None)
            if answer is not None and not np.isnan(delay):
                score = self.of[answer.arm, answer.model]
                score.landed += 1
                score.losses += float(log_losses(delay >= LATE_MINUTES, answer.late_probability))


class LiveView:
    """Prints a line for every day; on a terminal it also shows a table, while it is entered."""

    def __init__(self, console: Console, days: int) -> None:
        self.console = console
        self.scores = Scores()
        self.ran: dict[date, Sequence[Event]] = {}  # what happened by itself on each day
        self._events: deque[str] = deque(maxlen=EVENTS_SHOWN)
        self._progress = progress_bar()
        self._bar = self._progress.add_task("", total=days)

    def shown(self) -> AbstractContextManager[object]:
        """Show the table while this is entered; without a terminal there are only lines."""
        return (
            Live(self, console=self.console, refresh_per_second=4) if self.console.is_terminal else nullcontext()
        )

    def say(self, line: str) -> None:
        """Print a line."""
        self.console.print(f"  {line}", markup=False)

    def day_ran(self, day: date, events: Sequence[Event]) -> None:
        """Print what happened by itself on a day; what is more than routine stays below the table."""
        self.ran[day] = events
        texts = [event.text for event in events] or ["nothing happens by itself"]
        self.say(f"{day}: {'; '.join(texts)}")
        self._events += [f"{day}: {event.text}" for event in events if event.kind not in ROUTINE]

    def begin(self, day: date) -> None:
        """Show which day it is."""
        self._progress.update(self._bar, description=f"{day}")

    def answered(self, answers: Mapping[str, Answer]) -> None:
        """Show which models served the flights of a day."""
        self.scores.answered(answers)
        self._progress.advance(self._bar)

    def __rich__(self) -> RenderableType:
        """Return the table as it is now."""
        whole = Column("model", overflow="fold")  # in as many lines as it takes
        table = Table("arm", whole, "of today's flights", "flights", "log loss so far", box=None, padding=(0, 2))
        today = sum(score.today for score in self.scores.of.values())
        for (arm, model), score in list(self.scores.of.items())[-MODELS_SHOWN:]:
            share = f"{score.today / today:.0%}" if today else ""
            table.add_row(arm or "-", model or "-", share, f"{score.flights:,}", score.log_loss)
        return Group(self._progress, table, *map(Text, self._events))

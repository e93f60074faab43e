"""The journal of a stage: what happened on each day that was played, one line of JSON a day.

Whoever plays writes it, and the live page reads it: days may be played from several terminals, in turns.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from ..stack.stage import Answer, Event
from ..world.dataset import LATE_MINUTES
from ..world.quality import log_losses

FILE = "journal.jsonl"  # in the workspace


@dataclass(frozen=True)
class Served:
    """What one model served in one arm on a day."""

    arm: str
    model: str
    flights: int
    log_loss: float | None  # mean of those that arrived; the stage learns it a day later at the earliest


@dataclass(frozen=True)
class Day:
    """One day that was played."""

    day: str
    incidents: list[str]  # what was wrong in the feed, in words
    events: list[tuple[str, str]]  # kind and text
    served: list[Served]


def write(workspace: Path, day: Day) -> None:
    """Add a day to the journal of a stage."""
    line = json.dumps(asdict(day))
    with (workspace / FILE).open("a") as journal:
        journal.write(
            f"\n{line}"
        )  # the end of a line first: half a line of who was killed must not spoil this one


def read(workspace: Path) -> Iterator[Day]:
    """Yield the days that were played in a stage, oldest first; half a line is left out."""
    path = workspace / FILE
    for line in filter(None, path.read_text().splitlines() if path.exists() else []):
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # it is being written, or whoever wrote it was killed
        events = [(kind, text) for kind, text in entry["events"]]
        yield Day(entry["day"], entry["incidents"], events, [Served(**each) for each in entry["served"]])


def day_of(
    day: date,
    incidents: Sequence[str],
    events: Sequence[Event],
    answers: Mapping[str, Answer],
    outcomes: pd.DataFrame,
) -> Day:
    """Return a day as the journal has it.

    Args:
        day: which.
        incidents: what was wrong in the feed, in words.
        events: of its daily run.
        answers: by flight.
        outcomes: with `flight_id` and `arrival_delay`, as they really were.
    """
    delays = outcomes.dropna().set_index("flight_id")["arrival_delay"].to_dict()
    by_model: dict[tuple[str, str], list[str]] = {}
    for flight, answer in answers.items():
        by_model.setdefault((answer.arm, answer.model), []).append(flight)
    served = []
    for (arm, model), flights in sorted(by_model.items()):
        arrived = [flight for flight in flights if flight in delays]
        late = [delays[flight] >= LATE_MINUTES for flight in arrived]
        losses = log_losses(late, [answers[flight].late_probability for flight in arrived])
        served.append(Served(arm, model, len(flights), float(losses.mean()) if arrived else None))
    return Day(str(day), list(incidents), [(event.kind, event.text) for event in events], served)

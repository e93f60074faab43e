"""Play a stretch of the year through one level, with incidents and people, and keep what happened in a ledger.

What is played is the same for every level: publish, what befalls the stage, tick, people's due work, their daily
work, the day's questions. A replay that was stopped goes on after the last thing that is in its ledger.
"""

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd

from .. import base
from ..base import ROOT, StageError
from ..console import console, progress_bar
from ..stack.operator import People
from ..stack.stage import Stage, running
from ..world import faults
from ..world.dataset import LATE_MINUTES, Year, days, load_year
from ..world.incidents import Incident, publish
from ..world.period import FIRST_DAY
from .event_log import Ledger, Observer
from .operator_model import Diary
from .scenario import USUAL, Play, fits, is_finished

PATIENCE = 60.0  # seconds that whoever asks tries again when nobody answers
ALARM = re.compile(r"\b(failed|refused|ALARM|HOLD|ROLLBACK)\b")  # in what a level says about its day


def replay(play: Play) -> Path:
    """Play it, going on where it was stopped; return the folder with `ledger.jsonl` and `answers`.

    Raises:
        StageError: the stage does not start, or its automation died.
    """
    folder = play.folder()
    ledger = Ledger(folder / "ledger.jsonl")
    if ledger.events and (not fits(ledger, play) or is_finished(play)):
        _remove(folder)
        ledger = Ledger(folder / "ledger.jsonl")
    folder.mkdir(parents=True, exist_ok=True)
    played_here = play.workspace() / "play"  # the stage is left as this play left it, or another one's
    going_on = bool(ledger.last("day")) and played_here.exists() and played_here.read_text() == folder.name
    stage = Stage(play.level, play.workspace(), fork_server=True)
    started = time.monotonic()
    with running(stage, keep=going_on):
        if not going_on:
            played_here.write_text(folder.name)
            _remove(folder)
            ledger = Ledger(folder / "ledger.jsonl")
            ledger.write(play.window.first, "play", **play.header())
        _Replay(play, stage, ledger, load_year(base.WORKSPACES / "world"), started).run()
    return folder


def _remove(folder: Path) -> None:
    for path in folder.glob("*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@dataclass
class _Replay:
    """One play on a running stage."""

    play: Play
    stage: Stage
    ledger: Ledger
    year: Year
    started: float
    say: Callable[[str], None] = field(default=lambda words: None)

    def __post_init__(self) -> None:
        self.people = People(self.stage)
        self.diary = Diary(self.ledger)
        self.observer = Observer(self.stage, self.ledger)

    def run(self) -> None:
        """Play every day that has not been played to its end."""
        played = {event["day"] for event in self.ledger.of("day")}
        left = [day for day in days(self.play.window.first, self.play.window.last) if str(day) not in played]
        with progress_bar() as progress:
            self.say = lambda words: progress.console.print(f"  {words}", markup=False)
            bar = progress.add_task("", total=len(left) + len(played), completed=len(played))
            self.stage.wait_until_ready()
            self._write_measure(what="start", seconds=round(time.monotonic() - self.started, 2))
            if played:
                self.say(f"going on from {left[0]}")
            else:
                for day in days(FIRST_DAY, self.play.window.first - timedelta(days=1)):
                    publish(self.year, day, self.stage.workspace / "drop", self.play.incidents)
            for day in left:
                progress.update(bar, description=f"{day}")
                self._day(day, first=day == self.play.window.first)
                progress.advance(bar)
        self._measure_stage()

    def _day(self, day: date, first: bool) -> None:
        with self._measured(day, "publish"):
            published = publish(self.year, day, self.stage.workspace / "drop", self.play.incidents)
        self._begin_and_end(day)
        if not self._done(day, "ticked"):
            with self._measured(day, "tick"):
                self._tick(day)
            self.ledger.write(day, "ticked")
        with self._measured(day, "people"):
            self._people(day, first)
        with self._measured(day, "ask"):
            self._ask(day, published[f"flights/{day}"])
        if self.play.people == USUAL:
            self.diary.read_signs(day)
        self.ledger.write(day, "day")

    def _begin_and_end(self, day: date) -> None:
        for incident in self.play.incidents:
            if incident.mishap in faults.END and day == incident.last + timedelta(days=1):
                self._note(day, incident, "ends", faults.END[incident.mishap](self.stage))
            if day == incident.first:
                self._note(day, incident, "begins", incident.story)
                if incident.mishap:
                    with self._measured(day, "mishap"):
                        said = faults.BEGIN[incident.mishap](self.stage)
                    self._note(day, incident, "happened", said)
                    self.observer.look(day, "people")

    def _note(self, day: date, incident: Incident, phase: str, says: str) -> None:
        if self.ledger.last("incident", day=str(day), id=incident.id, phase=phase) is None:
            self.ledger.write(day, "incident", id=incident.id, phase=phase, says=says)
            self.say(f"{day}: [{incident.id} {phase}] {says}")

    def _tick(self, day: date) -> None:
        said = self.stage.tick(day)
        with (self.play.folder() / "story.txt").open("a") as story:
            story.write(said + "\n")
        if alarm := ALARM.search(said):
            self.ledger.write(day, "alarm", of=alarm[0])
        before = len(self.ledger.events)
        self.observer.look(day, "itself")
        if len(self.ledger.events) > before or alarm:
            self.say(said[:400])

    def _people(self, day: date, first: bool) -> None:
        if first and self.ledger.last("deployment", kind="model") is None:
            self._act(day, "first model", partial(self.people.release, day, first=True))
            self.stage.wait_until_ready()
            self.observer.look(day, "people")
            if self.ledger.last("deployment", kind="model") is None:
                logs = self.stage.workspace / "logs"
                raise StageError(f"no model serves after the first release: begin earlier, or see {logs}")
        if self.play.people != USUAL:
            return
        for sign, remedy in self.diary.due(day):
            self.ledger.write(day, "acted", on=sign)
            if self._act(day, sign, partial(self._remedy(remedy), day)):
                self.stage.wait_until_ready()
            self.observer.look(day, "people")
        self._act(day, "", partial(self.people.daily, day))

    def _remedy(self, name: str) -> Callable[[date], None]:
        people = self.people
        return {"model": people.release, "release": people.release_what_waits, "look": people.look}[name]

    def _act(self, day: date, why: str, act: Callable[[], None]) -> bool:
        """Let people act; write down each step, and tell whether all went well."""
        before, failed = len(self.people.done), None
        try:
            act()
        except StageError as error:
            failed = error
        done = self.people.done[before:]
        for step in done:
            self.ledger.write(day, "step", id=step.id, role=step.role, why=why, ok=True)
        if why and done:
            self.say(f"{day}: people, because of {why}: {', '.join(step.id for step in done)}")
        if failed:
            self.ledger.write(day, "step", id="failed", role="", why=why, ok=False)
            self.say(f"{day}: people{f', because of {why}' if why else ''}: {str(failed)[:300]}")
        return failed is None

    def _ask(self, day: date, flights: pd.DataFrame) -> None:
        answers, problem = self._answers(day, flights.to_json(orient="records", date_format="iso"))
        outcomes = self.year.outcomes_of(day).set_index("flight_id")["arrival_delay"]
        table = pd.DataFrame({"late_probability": pd.Series(answers, dtype=float)}).reindex(outcomes.index)
        path = self.play.folder() / "answers" / f"{day}.parquet"
        path.parent.mkdir(exist_ok=True)
        table.to_parquet(path)
        judged = table[outcomes.notna() & table["late_probability"].notna()]["late_probability"]
        late = outcomes[judged.index] >= LATE_MINUTES
        said = judged.clip(1e-15, 1 - 1e-15)
        loss = float(-np.log(np.where(late, said, 1 - said)).sum())
        self.ledger.write(
            day,
            "served",
            flights=len(outcomes),
            answered=int(table["late_probability"].notna().sum()),
            arrived=len(judged),
            expected_late=round(float(judged.sum()), 6),
            late=int(late.sum()),
            loss=round(loss, 6),
        )
        if problem:
            self.say(f"{day}: {problem[:300]}")

    def _answers(self, day: date, flights: str) -> tuple[dict[str, float], str]:
        """Ask like somebody who needs the answers: again, while nobody is there; not, when told what is wrong."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                given = self.stage.ask(day, flights)
                return {name: answer.late_probability for name, answer in given.items()}, ""
            except httpx.TransportError as error:
                if time.monotonic() > deadline:
                    return {}, f"nobody answers: {error}"
                time.sleep(0.1)
            except (StageError, OSError) as error:
                return {}, f"no predictions: {error}"

    def _done(self, day: date, event: str) -> bool:
        return self.ledger.last(event, day=str(day)) is not None

    @contextmanager
    def _measured(self, day: date, what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._write_measure(day=str(day), what=what, seconds=round(time.monotonic() - began, 4))

    def _measure_stage(self) -> None:
        """Measure what the stage takes once it has all it will ever have."""
        family = self.stage.family()
        sizes = [process.memory_info().rss for process in family]
        self._write_measure(what="stage", processes=len(family), memory_mb=round(sum(sizes) / 2**20))

    def _write_measure(self, **facts: Any) -> None:
        with (self.play.folder() / "measured.jsonl").open("a") as file:
            file.write(json.dumps(facts) + "\n")


def summary(folder: Path) -> str:
    """Say in two lines how a play went."""
    ledger = Ledger(folder / "ledger.jsonl")
    served = ledger.of("served")
    arrived = sum(each["arrived"] for each in served)
    asked, answered = (sum(each[name] for each in served) for name in ("flights", "answered"))
    loss = sum(each["loss"] for each in served) / arrived if arrived else float("nan")
    models = [each for each in ledger.of("deployment") if each["kind"] == "model" and each["share"] == 1]
    return (
        f"{answered:,} of {asked:,} flights answered, log loss {loss:.4f}\n"
        f"{len(ledger.of('training'))} trainings, {len(models)} models released, "
        f"{len(ledger.of('alarm'))} alarms, {len(ledger.of('step'))} human steps"
    )


def show(folder: Path) -> None:
    """Print how a play went, and where it is kept."""
    console.print(f"[bold]{summary(folder)}[/]\n{folder.relative_to(ROOT)}/ledger.jsonl")

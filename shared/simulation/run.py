"""Simulate some days of the year at one level, with incidents and people, and keep what happened in an event log.

The order of a day is the same for every level: publish, incidents, the daily run, what people have yet to do,
their daily work, the questions of the day. A simulation that was stopped resumes after the last event in its log.
When all days are over, its models are replayed on the flights as they really were.
"""

import json
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
import pandas as pd

from .. import base
from ..base import ROOT, StageError
from ..console import console, progress_bar
from ..stack.operator import Operator
from ..stack.stage import Answer, Stage, running
from ..stack.tracking import Tracking
from ..world import faults
from ..world.dataset import LATE_MINUTES, Year, days, load_year, write_whole
from ..world.incidents import Incident, publish
from ..world.period import FIRST_DAY
from ..world.quality import log_losses
from .event_log import EventLog, Observer, name_of
from .operator_model import OperatorModel
from .replay import KEPT, replay
from .scenario import USUAL, Scenario, is_finished, matches

PATIENCE = 60.0  # seconds that whoever asks tries again when nobody answers
ALARMS = ("failed", "refused", "alarm", "held", "rolled back")  # kinds of a level's events that report trouble


def simulate(scenario: Scenario) -> Path:
    """Simulate a scenario, resuming where it was stopped; return the folder of its files.

    Raises:
        StageError: the stage does not start, or its daily run died.
    """
    folder = scenario.folder()
    if not matches(scenario.event_log(), scenario) or is_finished(scenario):
        _empty(folder)
    folder.mkdir(parents=True, exist_ok=True)
    # The stage is as this simulation left it, or as another one did.
    last_here = scenario.workspace() / "simulation"
    left_here = last_here.exists() and last_here.read_text() == folder.name
    resumes = left_here and scenario.event_log().last("day") is not None
    stage = Stage(scenario.level, scenario.workspace(), fork_server=True)
    started = time.monotonic()
    with running(stage, keep=resumes):
        if not resumes:
            last_here.write_text(folder.name)
            _empty(folder)
            scenario.event_log().add(scenario.header())
        year = load_year(base.WORKSPACES / "year")
        Simulation(scenario, stage, scenario.event_log(), year, started).run()
    return folder


def _empty(folder: Path) -> None:
    for path in folder.glob("*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@dataclass
class Simulation:
    """A scenario on a running stage."""

    scenario: Scenario
    stage: Stage
    event_log: EventLog
    year: Year
    started: float
    say: Callable[[str], None] = field(default=lambda line: None)

    def __post_init__(self) -> None:
        self.operator = Operator(self.stage)
        self.operator_model = OperatorModel(self.event_log)
        self.observer = Observer(self.stage, self.event_log)

    def run(self) -> None:
        """Simulate every day that is not over yet."""
        period = self.scenario.period
        over = {event["day"] for event in self.event_log.of("day")}
        left = [day for day in days(period.first, period.last) if str(day) not in over]
        with progress_bar() as progress:
            self.say = lambda line: progress.console.print(f"  {line}", markup=False)
            bar = progress.add_task("", total=len(left) + len(over), completed=len(over))
            self.stage.wait_until_ready()
            self._write_timing(what="start", seconds=round(time.monotonic() - self.started, 2))
            if over:
                self.say(f"resuming after {max(over)}")
            else:
                for day in days(FIRST_DAY, period.first - timedelta(days=1)):
                    publish(self.year, day, self.stage.workspace / "drop", self.scenario.incidents)
            for day in left:
                progress.update(bar, description=f"{day}")
                self._day(day)
                progress.advance(bar)
        self._measure_stage()
        self._replay()

    def _day(self, day: date) -> None:
        with self._timed(day, "publish"):
            published = publish(self.year, day, self.stage.workspace / "drop", self.scenario.incidents)
        self._incidents(day)
        if not self._has_happened(day, "daily_run"):
            with self._timed(day, "daily_run"):
                self._daily_run(day)
            self.event_log.write(day, "daily_run")
        with self._timed(day, "people"):
            self._people(day)
        with self._timed(day, "ask"):
            self._ask(day, published[f"flights/{day}"])
        if self.scenario.people == USUAL:
            self.operator_model.read_signs(day)
        self.event_log.write(day, "day")

    def _incidents(self, day: date) -> None:
        for incident in self.scenario.incidents:
            if incident.fault in faults.END and day == incident.last + timedelta(days=1):
                result = faults.END[incident.fault](self.stage)
                self._log_incident(day, incident, "ends", result.text)
            if day == incident.first:
                self._log_incident(day, incident, "begins", incident.story)
                if incident.fault:
                    with self._timed(day, "fault"):
                        result = faults.BEGIN[incident.fault](self.stage)
                    self._log_incident(day, incident, "happened", result.text, outcome=result.outcome)
                    self.observer.observe(day, "people")

    def _log_incident(self, day: date, incident: Incident, phase: str, text: str, **facts: str) -> None:
        if not self._has_happened(day, "incident", id=incident.id, phase=phase):
            self.event_log.write(day, "incident", id=incident.id, phase=phase, text=text, **facts)
            self.say(f"{day}: [{incident.id} {phase}] {text}")

    def _daily_run(self, day: date) -> None:
        events = self.stage.run_day(day)
        before = len(self.event_log.events)
        for kind in ALARMS:
            if any(event.kind == kind for event in events):
                self.event_log.write(day, "alarm", kind=kind)
        self.observer.observe(day, "itself")
        texts = "; ".join(event.text for event in events)
        with (self.scenario.folder() / "daily_runs.txt").open("a") as file:
            file.write(f"{day}: {texts}\n")
        if len(self.event_log.events) > before:
            self.say(f"{day}: {texts}"[:400])

    def _people(self, day: date) -> None:
        if day == self.scenario.period.first and not self._is_released():
            self._act(day, "first model", partial(self.operator.release, day, first=True))
            self.stage.wait_until_ready()
            self.observer.observe(day, "people")
            if not self._is_released():
                logs = self.stage.workspace / "logs"
                raise StageError(f"no model serves after the first release: begin earlier, or see {logs}")
        if self.scenario.people != USUAL:
            return
        for sign, remedy in self.operator_model.due(day):
            self.event_log.write(day, "acted", on=sign)
            if self._act(day, sign, partial(self._remedies()[remedy], day)):
                self.stage.wait_until_ready()
            self.observer.observe(day, "people")
        self._act(day, "", partial(self.operator.daily, day))

    def _is_released(self) -> bool:
        return self.event_log.last("deployment", kind="model") is not None

    def _remedies(self) -> dict[str, Callable[[date], None]]:
        operator = self.operator
        return {"model": operator.release, "release": operator.release_what_waits, "look": operator.look}

    def _act(self, day: date, why: str, act: Callable[[], None]) -> bool:
        """Let people act; log each step, and tell whether all went well."""
        before, failure = len(self.operator.done), None
        try:
            act()
        except StageError as error:
            failure = error
        steps = self.operator.done[before:]
        for step in steps:
            self.event_log.write(day, "step", id=step.id, role=step.role, why=why, ok=True)
        if why and steps:
            self.say(f"{day}: people, because of {why}: {', '.join(step.id for step in steps)}")
        if failure:
            self.event_log.write(day, "step", id="failed", role="", why=why, ok=False)
            self.say(f"{day}: people{f', because of {why}' if why else ''}: {str(failure)[:300]}")
        return failure is None

    def _ask(self, day: date, flights: pd.DataFrame) -> None:
        """Ask about the flights that were published; nobody can ask about others, and none of them is counted."""
        answers, problem = self._answers(day, flights.to_json(orient="records", date_format="iso"))
        ended = self.year.outcomes_of(day).set_index("flight_id")["arrival_delay"]
        outcomes = ended.loc[flights["flight_id"]]
        table = self._table(answers).reindex(outcomes.index)
        path = self.scenario.folder() / "answers" / f"{day}.parquet"
        path.parent.mkdir(exist_ok=True)
        table.to_parquet(path)
        judged = table[outcomes.notna() & table["late_probability"].notna()]["late_probability"]
        late = outcomes[judged.index] >= LATE_MINUTES
        self.event_log.write(
            day,
            "served",
            flights=len(outcomes),
            answered=int(table["late_probability"].notna().sum()),
            arrived=len(judged),
            expected_late=round(float(judged.sum()), 6),
            late=int(late.sum()),
            loss=round(float(log_losses(late, judged).sum()), 6),
        )
        if problem:
            self.say(f"{day}: {problem[:300]}")

    def _table(self, answers: dict[str, Answer]) -> pd.DataFrame:
        """Return the answers by flight; a level that names no model answers with the one released last."""
        release = self.event_log.last("deployment", kind="model", share=1.0)
        serving = str(release["name"]) if release else ""
        return pd.DataFrame(
            {
                "late_probability": [answer.late_probability for answer in answers.values()],
                "model": [name_of(answer.model) or serving for answer in answers.values()],
                "intercept": [answer.intercept for answer in answers.values()],
            },
            index=list(answers),
        )

    def _answers(self, day: date, flights: str) -> tuple[dict[str, Answer], str]:
        """Ask like somebody who needs the answers: again while nobody is there, not when told what is wrong."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.stage.ask(day, flights), ""
            except httpx.TransportError as error:
                if time.monotonic() > deadline:
                    return {}, f"nobody answers: {error}"
                time.sleep(0.1)
            except (StageError, OSError) as error:
                return {}, f"no predictions: {error}"

    def _has_happened(self, day: date, event: str, **facts: Any) -> bool:
        return self.event_log.last(event, day=str(day), **facts) is not None

    @contextmanager
    def _timed(self, day: date, what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._write_timing(day=str(day), what=what, seconds=round(time.monotonic() - began, 4))

    def _measure_stage(self) -> None:
        """Measure what the stage takes once it has all it will ever have."""
        family = self.stage.family()
        sizes = [process.memory_info().rss for process in family]
        self._write_timing(what="stage", processes=len(family), memory_mb=round(sum(sizes) / 2**20))

    def _replay(self) -> None:
        """Let all models that were released or answered predict the flights of the period, as they really were."""
        period, releases = self.scenario.period, self.event_log.of("deployment")
        released = {str(release["name"]) for release in releases if release["kind"] == "model"}
        days_of_answers = (self.scenario.folder() / "answers").glob("*.parquet")
        answered = {name for path in days_of_answers for name in pd.read_parquet(path)["model"].dropna()}
        flights = pd.concat([self.year.flights_of(day) for day in days(period.first, period.last)])
        kept = self.scenario.folder() / KEPT
        write_whole(
            replay(sorted(released | answered), flights, kept, Tracking.of(self.stage)),
            self.scenario.replayed(),
            index=True,
        )

    def _write_timing(self, **facts: Any) -> None:
        with (self.scenario.folder() / "timings.jsonl").open("a") as file:
            file.write(json.dumps(facts) + "\n")


def summary(event_log: EventLog) -> str:
    """Return two lines about a simulation: its predictions, and what happened."""
    served = event_log.of("served")
    flights, answered, arrived, loss = (
        sum(day[name] for day in served) for name in ("flights", "answered", "arrived", "loss")
    )
    mean = loss / arrived if arrived else float("nan")
    models = [event for event in event_log.of("deployment") if event["kind"] == "model" and event["share"] == 1]
    return (
        f"{answered:,} of {flights:,} flights answered, log loss {mean:.4f}\n"
        f"{len(event_log.of('training'))} trainings, {len(models)} models released, "
        f"{len(event_log.of('alarm'))} alarms, {len(event_log.of('step'))} human steps"
    )


def show(scenario: Scenario) -> None:
    """Print how a simulation went, and where it is kept."""
    event_log = scenario.event_log()
    console.print(f"[bold]{summary(event_log)}[/]\n{event_log.path.relative_to(ROOT)}")

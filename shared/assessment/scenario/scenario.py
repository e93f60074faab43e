"""The scenario, the same for every level: a first model, days, a second model, defects, a code release, faults.

Each part returns what was observed. Probes look at that, and at what the stage left behind.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pandas as pd

from ...stack.stage import Answer, Event
from ...world.dataset import Year, days
from ...world.incidents import publish
from ...world.period import FIRST_DAY, LIVE
from . import seeded_defects
from .code_release import CodeRelease, release_a_change
from .context import Context, in_facts
from .mutants import Mutants, run_mutants
from .new_feature import NewFeature, add_a_feature
from .rebuild import Rebuild, rebuild
from .swap_under_load import Swap, swap_under_load
from .uncertified_model import Uncertified, model_files, serve_damaged, serve_uncertified
from .watched_days import Watched, watch_two_days

# The days: the first Monday of a month, on which schedules train, and then a week of summer, which a model of the
# winter was not trained on.
MONDAY, SUMMER = date(2013, 4, 1), date(2013, 6, 30)
MIN_DAYS, MAX_DAYS = 5, 16
FAULT_DAYS, LATER_MINUTES = 16, 30.0
AGED = 58  # days without a scheduled training
ALARMS = {"alarm", "held", "rolled back"}  # kinds of events that tell people that something is wrong
ALARM_FILES = ("alarm", "alert", "drift", "hold")  # in the names of files
BY_PEOPLE = (None, "manual", "schedule")  # triggers of runs that a person, or a clock, started
METRIC_TRIGGERS = {"performance", "drift"}


@dataclass
class FirstModel:
    """How the first model came."""

    collected: int  # of the last three published days, before anybody did anything
    after_people: int
    roles: list[str]
    model: str
    models: dict[str, str]  # model files by digest


@dataclass
class Day:
    """One day, on which nobody did anything but what is done every day."""

    day: date
    events: list[Event]  # of the daily run
    copies: int  # of the two files published for it
    model: str
    answers: dict[str, Answer]  # by flight
    version: dict[str, Any]

    @property
    def models(self) -> set[str]:
        """Return the models that answered."""
        return {answer.model or self.model for answer in self.answers.values()}


@dataclass
class SecondModel:
    """How the second model came."""

    by_itself: bool
    before: str
    after: str
    roles: list[str]
    lost: list[str]  # files of the first model that are nowhere any more
    champion: str  # the version that the registry named then


@dataclass
class Faults:
    """Days with faults in the feed, without a schedule, new code or people."""

    days: list[list[Event]] = field(default_factory=list)  # what each daily run reported
    alarms: list[str] = field(default_factory=list)
    triggered: list[dict[str, Any]] = field(default_factory=list)  # runs that no person and no schedule started
    issues: list[str] = field(default_factory=list)  # written for people
    runs_on_broken: int = 0  # finished on a day when the data broke the schema
    trained: int = 0  # runs that no person and no schedule started, on these days
    aged: list[Event] = field(default_factory=list)  # of a day when nothing had been trained for weeks
    last: date = LIVE  # which day that was

    @property
    def events(self) -> list[Event]:
        """Return the events of all days."""
        return [event for events in self.days for event in events]


@dataclass
class Scenario:
    """All that was observed; a part that failed is missing, and `failures` has the reason."""

    context: Context
    failures: dict[str, str] = field(default_factory=dict)
    first_model: FirstModel = field(init=False)
    days: list[Day] = field(init=False)
    second_model: SecondModel = field(init=False)
    defects: dict[str, seeded_defects.Outcome] = field(init=False)
    damaged: str = field(init=False)
    uncertified: Uncertified = field(init=False)
    swap: Swap = field(init=False)
    code_release: CodeRelease = field(init=False)
    faults: Faults = field(init=False)
    watched_days: Watched = field(init=False)
    mutants: Mutants = field(init=False)
    rebuild: Rebuild = field(init=False)
    new_feature: NewFeature = field(init=False)
    seconds: dict[str, float] = field(default_factory=dict)


def run_scenario(context: Context, tell: Callable[[str], None], only: set[str] | None = None) -> Scenario:
    """Run all parts in order, or `only` some; after the first one, a part that fails ends nothing but itself."""
    scenario = Scenario(context)
    parts: dict[str, Callable[[], Any]] = {
        "first_model": lambda: bring_a_first(context),
        "days": lambda: let_days_pass(context),
        "second_model": lambda: bring_a_second(context, scenario),
        "defects": lambda: seeded_defects.offer(context, scenario.days[-1].day),
        "damaged": lambda: serve_damaged(context, scenario.defects, scenario.days[-1].day),
        "uncertified": lambda: serve_uncertified(context, scenario.defects),
        "swap": lambda: swap_under_load(context, scenario.days[-1].day),
        "code_release": lambda: release_a_change(context),
        "faults": lambda: inject_faults(context, scenario.days[-1].day),
        "watched_days": lambda: watch_two_days(context, last_day(scenario)),
        "mutants": lambda: run_mutants(context),
        "rebuild": lambda: rebuild(context, scenario.code_release, scenario.days[-1].day),
        "new_feature": lambda: add_a_feature(context, scenario.days[-1].day),
    }
    for name, part in parts.items():
        if only is not None and name not in only:
            continue
        tell(name)
        started = time.monotonic()
        context.note(f"## {name}")
        try:
            setattr(scenario, name, part())
        except Exception as error:  # the other parts may still be observed
            scenario.failures[name] = context.note(f"failed: {type(error).__name__}: {error}")
        scenario.seconds[name] = round(time.monotonic() - started, 1)
    return scenario


def bring_a_first(context: Context) -> FirstModel:
    """Let the first model be made and brought into service."""
    for day in days(FIRST_DAY, LIVE):
        context.publish(day)
    context.run_day(LIVE)
    drop = context.workspace / "drop" / "flights"
    newest = [drop / f"{day}.parquet" for day in days(LIVE - timedelta(days=2), LIVE)]
    collected = sum(bool(context.copies(path)) for path in newest)
    roles = context.release(LIVE)
    after = sum(bool(context.copies(path)) for path in newest)
    return FirstModel(collected, after, roles, context.serving(), model_files(context))


def let_days_pass(context: Context) -> list[Day]:
    """Let a Monday pass and then days of summer, until one model answers; who must do something daily does it."""
    past: list[Day] = []
    day = LIVE
    while len(past) < MIN_DAYS or (len(past[-1].models) > 1 and len(past) < MAX_DAYS):
        following = MONDAY if not past else max(SUMMER, day + timedelta(days=1))
        for between in days(day + timedelta(days=1), following):
            context.publish(between)
        day = following
        events = context.run_day(day)
        look_if_asked(context, day)
        drop = context.workspace / "drop"
        published = drop / "flights" / f"{day}.parquet", drop / "outcomes" / f"{day - timedelta(days=1)}.parquet"
        copies = sum(bool(context.copies(path)) for path in published)
        answers = context.ask(day)
        past.append(Day(day, events, copies, context.serving(), answers, context.version()))
        context.note(f"{day}: {len(answers)} answers by {', '.join(sorted(past[-1].models))}")
    return past


def look_if_asked(context: Context, day: date) -> None:
    """Let people do what they do when the stage has written something for them."""
    if any("issue" in str(path.parent).lower() for path in context.files() if path.suffix == ".md"):
        for step in context.people.steps_of({"hold"}):
            context.note(f"{step.role}: {step.does}")
        context.people.look(day)


def bring_a_second(context: Context, scenario: Scenario) -> SecondModel:
    """Let people bring a second model, unless one has come by itself."""
    before, now, roles = scenario.first_model.model, scenario.days[-1].model, []
    if before == now:
        roles = context.release(scenario.days[-1].day)
    after, kept = context.serving(), model_files(context)
    lost = [path for digest, path in scenario.first_model.models.items() if digest not in kept]
    champion = context.tracking.aliases().get("champion", "")
    return SecondModel(before != now, before, after, roles, lost, champion)


def inject_faults(context: Context, last: date) -> Faults:
    """Let every flight arrive later, turn °F into °C, break the schema for a day, then let time pass."""
    faults, started, day = Faults(), time.time(), last
    before = {run["run_id"] for run in context.tracking.runs()}

    def live(day: date, year: Year) -> None:
        publish(year, day, context.workspace / "drop")
        faults.days.append(context.run_day(day))
        if "PORT" in context.stage.environment:  # what nobody logs changes nothing
            context.ask(day)

    def is_retrained() -> bool:
        runs = [run for run in context.tracking.runs() if run["run_id"] not in before]
        return any(run["tags"].get("trigger") in METRIC_TRIGGERS for run in runs)

    for _ in range(FAULT_DAYS):
        live(day := day + timedelta(days=1), _later(context.year))
        if is_retrained():
            break
    for _ in range(2):
        live(day := day + timedelta(days=1), _celsius(_later(context.year)))
    count = len(context.tracking.runs())
    live(day := day + timedelta(days=1), _unreadable(context.year))
    faults.runs_on_broken = sum(run["status"] == "FINISHED" for run in context.tracking.runs()[count:])
    asked = [run for run in context.tracking.runs() if run["tags"].get("trigger") not in BY_PEOPLE]
    faults.trained = len([run for run in asked if run["run_id"] not in before])
    issues = [path for path in context.files(started) if "issue" in str(path.parent).lower()]
    faults.issues = [context.short(path) for path in issues]
    context.publish(day)
    if faults.issues:
        context.people.look(day)
    for between in days(day + timedelta(days=1), day + timedelta(days=AGED)):
        context.publish(between)
    faults.last = _not_a_first_monday(day + timedelta(days=AGED))
    faults.aged = context.run_day(faults.last)
    runs = context.tracking.runs()
    faults.triggered = [run for run in runs if run["tags"].get("trigger") not in BY_PEOPLE]
    faults.alarms = _alarms(context, faults.events, started)
    return faults


def last_day(scenario: Scenario) -> date:
    """Return the last day that was played, with the part of the faults or without."""
    return scenario.faults.last if hasattr(scenario, "faults") else scenario.days[-1].day


def _not_a_first_monday(day: date) -> date:
    return day - timedelta(days=1) if day.weekday() == 0 and day.day <= 7 else day


def _later(year: Year) -> Year:
    return Year(year.flights, year.outcomes.assign(arrival_delay=year.outcomes["arrival_delay"] + LATER_MINUTES))


def _celsius(year: Year) -> Year:
    celsius = {name: ((year.flights[name] - 32) / 1.8).round(2) for name in ("temp", "dewp")}
    return Year(year.flights.assign(**celsius), year.outcomes)


def _unreadable(year: Year) -> Year:
    return Year(year.flights.assign(visib="far"), year.outcomes)


def _alarms(context: Context, events: list[Event], since: float) -> list[str]:
    """Return what warned somebody: events of the daily run and of the orchestrator, and files."""
    moment = pd.Timestamp(since, unit="s", tz="UTC").isoformat()
    own = {"exclude_prefix": ["prefect."]}  # what the orchestrator reports about its own work
    emitted = context.pipeline("events", filter={"occurred": {"since": moment}, "event": own}, limit=50)
    alarms = in_facts([event for event in events if event.kind in ALARMS])
    alarms += [json.dumps(event) for event in emitted]
    files = [path for path in context.files(since) if any(word in path.name.lower() for word in ALARM_FILES)]
    return alarms + [
        f"{context.short(path)}: {path.read_text(errors='replace')[:300]}"
        for path in files
        if path.suffix in (".json", ".jsonl", ".md", ".yaml", ".log")
    ]

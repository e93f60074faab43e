"""What is played for every level alike: a first model, days, a second model, flaws, another application, trouble.

Each act returns what was seen. Probes look at that, and at what the stage left behind.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pandas as pd

from ...stack.stage import Answer
from ...world.dataset import Year, days
from ...world.incidents import publish
from ...world.period import FIRST_DAY, LIVE
from . import seeded_defects
from .code_release import Deployed, deploy_a_change
from .context import Scene
from .mutants import Mutants, hunt
from .swap_under_load import Swap, swap_under_load
from .uncertified_model import Unproven, model_files, serve_damaged, serve_unproven

# Days that are played: the first Monday of a month, on which calendars train, and then a week of summer, which
# a model of the winter does not know.
MONDAY, SUMMER = date(2013, 4, 1), date(2013, 6, 30)
ENOUGH_DAYS, MOST_DAYS = 5, 16
TROUBLED_DAYS, LATER_MINUTES = 16, 15.0
AGED = 58  # days without a calendar's training: Tuesdays to Sundays hide nothing
ALARMS = ("alarm ", "alert", "drift", "hold ")
METRIC_TRIGGERS = {"performance", "drift"}


@dataclass
class Opening:
    """The first model."""

    collected: int  # of the last three published days, before anybody did anything
    after_people: int
    roles: list[str]
    model: str
    models: dict[str, str]  # model files by digest


@dataclass
class Seen:
    """One day, on which nobody did anything but what is done every day."""

    day: date
    said: str
    copies: int  # of the two files published for it
    model: str
    answers: dict[str, Answer]  # by flight
    version: dict[str, Any]

    @property
    def models(self) -> set[str]:
        """Return the models that answered."""
        return {each.model or self.model for each in self.answers.values()}


@dataclass
class Successor:
    """The second model."""

    by_itself: bool
    before: str
    after: str
    roles: list[str]
    lost: list[str]  # files of the first model that are nowhere any more


@dataclass
class Trouble:
    """Days on which the world turned, without a schedule, new code or people."""

    said: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    triggered: list[dict[str, Any]] = field(default_factory=list)  # runs that no person and no calendar started
    issues: list[str] = field(default_factory=list)  # written for people
    runs_on_broken: int = 0  # finished on a day when the data broke the schema
    aged: str = ""  # what was said when weeks had gone by and nothing was trained


@dataclass
class Played:
    """All that was played; an act that failed is missing, and says why in `failures`."""

    scene: Scene
    failures: dict[str, str] = field(default_factory=dict)
    opening: Opening = field(init=False)
    seen: list[Seen] = field(init=False)
    successor: Successor = field(init=False)
    flawed: dict[str, seeded_defects.Outcome] = field(init=False)
    damaged: str = field(init=False)
    unproven: Unproven = field(init=False)
    swap: Swap = field(init=False)
    deployed: Deployed = field(init=False)
    trouble: Trouble = field(init=False)
    mutants: Mutants = field(init=False)
    seconds: dict[str, float] = field(default_factory=dict)


def play(scene: Scene, tell: Callable[[str], None], only: set[str] | None = None) -> Played:
    """Play all acts in order; after the first one, an act that fails ends nothing but itself."""
    played = Played(scene)
    acts: dict[str, Callable[[], Any]] = {
        "opening": lambda: open_with_a_model(scene),
        "seen": lambda: let_days_pass(scene),
        "successor": lambda: bring_a_second(scene, played),
        "flawed": lambda: seeded_defects.offer(scene, played.seen[-1].day),
        "damaged": lambda: serve_damaged(scene, played.flawed, played.seen[-1].day),
        "unproven": lambda: serve_unproven(scene, played.flawed),
        "swap": lambda: swap_under_load(scene, played.seen[-1].day),
        "deployed": lambda: deploy_a_change(scene),
        "trouble": lambda: make_trouble(scene, played.seen[-1].day),
        "mutants": lambda: hunt(scene),
    }
    for name, act in acts.items():
        if only is not None and name not in only:
            continue
        tell(name)
        started = time.monotonic()
        scene.note(f"## {name}")
        try:
            setattr(played, name, act())
        except Exception as error:  # the other acts may still be seen
            played.failures[name] = scene.note(f"failed: {type(error).__name__}: {error}")
        played.seconds[name] = round(time.monotonic() - started, 1)
    return played


def open_with_a_model(scene: Scene) -> Opening:
    """Let the first model be made and brought into service."""
    for day in days(FIRST_DAY, LIVE):
        scene.publish(day)
    scene.tick(LIVE)
    drop = scene.workspace / "drop" / "flights"
    newest = [drop / f"{day}.parquet" for day in days(LIVE - timedelta(days=2), LIVE)]
    collected = sum(bool(scene.copies(path)) for path in newest)
    roles = scene.release(LIVE)
    after = sum(bool(scene.copies(path)) for path in newest)
    return Opening(collected, after, roles, scene.serving(), model_files(scene))


def let_days_pass(scene: Scene) -> list[Seen]:
    """Let a Monday pass and then days of summer, until one model answers; who must do something daily does it."""
    seen: list[Seen] = []
    day = LIVE
    while len(seen) < ENOUGH_DAYS or (len(seen[-1].models) > 1 and len(seen) < MOST_DAYS):
        following = MONDAY if not seen else max(SUMMER, day + timedelta(days=1))
        for between in days(day + timedelta(days=1), following):
            scene.publish(between)
        day = following
        said = scene.tick(day)
        look_if_asked(scene, day)
        drop = scene.workspace / "drop"
        published = drop / "flights" / f"{day}.parquet", drop / "outcomes" / f"{day - timedelta(days=1)}.parquet"
        copies = sum(bool(scene.copies(path)) for path in published)
        answers = scene.ask(day)
        seen.append(Seen(day, said, copies, scene.serving(), answers, scene.version()))
        scene.note(f"{day}: {len(answers)} answers by {', '.join(sorted(seen[-1].models))}")
    return seen


def look_if_asked(scene: Scene, day: date) -> None:
    """Let people do what they do when the stage has written something for them."""
    if any("issue" in str(path.parent).lower() for path in scene.files() if path.suffix == ".md"):
        for step in scene.people.steps:
            if step.when in ("hold", "issue") and step.command:
                scene.note(f"{step.role}: {step.does}")
                scene.stage.run(step.command, DAY=str(day))


def bring_a_second(scene: Scene, played: Played) -> Successor:
    """Let people bring a second model, unless one has come by itself."""
    before, now, roles = played.opening.model, played.seen[-1].model, []
    if before == now:
        roles = scene.release(played.seen[-1].day)
    after, kept = scene.serving(), model_files(scene)
    lost = [path for digest, path in played.opening.models.items() if digest not in kept]
    return Successor(before != now, before, after, roles, lost)


def make_trouble(scene: Scene, last: date) -> Trouble:
    """Let every flight arrive later, turn °F into °C, break the schema for a day, then let time pass."""
    trouble, started, day = Trouble(), time.time(), last
    known = {run["run_id"] for run in scene.runs()}
    drop = scene.workspace / "drop"

    def live(day: date, year: Year) -> str:
        publish(year, day, drop)
        trouble.said.append(scene.tick(day))
        if "PORT" in scene.stage.environment:  # what nobody logs changes nothing
            scene.ask(day)
        return trouble.said[-1]

    def by_a_measure() -> bool:
        return any(
            run["run_id"] not in known for run in scene.runs() if run["tags"].get("trigger") in METRIC_TRIGGERS
        )

    for _ in range(TROUBLED_DAYS):
        live(day := day + timedelta(days=1), _later(scene.year))
        if by_a_measure():
            break
    for _ in range(2):
        live(day := day + timedelta(days=1), _celsius(_later(scene.year)))
    count = len(scene.runs())
    live(day := day + timedelta(days=1), _renamed(scene.year))
    trouble.runs_on_broken = sum(run["status"] == "FINISHED" for run in scene.runs()[count:])
    trouble.issues = [scene.short(path) for path in scene.files(started) if "issue" in str(path.parent).lower()]
    scene.publish(day)
    if trouble.issues:
        scene.people.look(day)
    for between in days(day + timedelta(days=1), day + timedelta(days=AGED)):
        scene.publish(between)
    trouble.aged = scene.tick(_not_a_first_monday(day + timedelta(days=AGED)))
    trouble.triggered = [
        run for run in scene.runs() if run["tags"].get("trigger") not in (None, "manual", "schedule")
    ]
    trouble.alarms = _alarms(scene, trouble.said, started)
    return trouble


def _not_a_first_monday(day: date) -> date:
    return day - timedelta(days=1) if day.weekday() == 0 and day.day <= 7 else day


def _later(year: Year) -> Year:
    return Year(year.flights, year.outcomes.assign(arrival_delay=year.outcomes["arrival_delay"] + LATER_MINUTES))


def _celsius(year: Year) -> Year:
    celsius = {name: ((year.flights[name] - 32) / 1.8).round(2) for name in ("temp", "dewp")}
    return Year(year.flights.assign(**celsius), year.outcomes)


def _renamed(year: Year) -> Year:
    return Year(year.flights.rename(columns={"visib": "visibility"}), year.outcomes)


def _alarms(scene: Scene, said: list[str], since: float) -> list[str]:
    """Return what warned somebody: words of the tick, events of the orchestrator, files."""
    moment = pd.Timestamp(since, unit="s", tz="UTC").isoformat()
    own = {"exclude_prefix": ["prefect."]}  # what the orchestrator says about its own work
    events = scene.pipeline("events", filter={"occurred": {"since": moment}, "event": own}, limit=50)
    words = [line for line in said if any(word in line.lower() for word in ALARMS)]
    words += [json.dumps(each) for each in events]
    words += [
        f"{scene.short(path)}: {path.read_text(errors='replace')[:300]}"
        for path in scene.files(since)
        if any(word in path.name.lower() for word in ALARMS)
        and path.suffix in (".json", ".jsonl", ".md", ".yaml", ".log")
    ]
    return words

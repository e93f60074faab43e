"""The event log of a simulation: a line of JSON for each event.

The simulation writes it and never a level, so that all levels are measured alike.

Every event has a `day` and a name, `event`:

- `scenario`: what is simulated; the first line.
- `incident`: one `begins`, `happened` (with the `outcome` of a fault) or `ends`.
- `daily_run`, `acted`, `day`: how far a day has got, so that a simulation that was stopped resumes there.
- `alarm`: a daily run reported that something is wrong; `kind` is the kind of its event.
- `training`: a model was made or tried, `by` what, and whether it was `registered`.
- `deployment`: of kind model (`share`: to part of the traffic) or application; `by` itself or people.
- `withdrawn`: a model left its share of the traffic without ever having had all of it.
- `step`: a person did something; `sign`: something of a `kind` that people will notice and act upon (see
  assumptions.yaml).
- `served`: how many flights were asked about (those that were published) and answered, and how well.

What is measured in seconds, and what names itself at random, is in `timings.jsonl` beside it.
"""

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from ..base import StageError, write_text
from ..stack.stage import Stage
from ..stack.tracking import MODEL, Tracking
from .replay import KEPT, keep

Event = dict[str, Any]


@dataclass
class EventLog:
    """The events of one simulation, in a file that only grows."""

    path: Path
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.path.exists():
            lines = self.path.read_text().splitlines(keepends=True)
            whole = [line for line in lines if line.endswith("\n")]
            if whole != lines:
                write_text(self.path, "".join(whole))  # without what was being written when it was killed
            self.events = [json.loads(line) for line in whole]

    def add(self, event: Event) -> None:
        """Add one event."""
        self.events.append(event)
        with self.path.open("a") as file:
            file.write(json.dumps(event) + "\n")

    def write(self, day: date | str, event: str, **facts: Any) -> None:
        """Add the event of this name and these facts."""
        self.add({"day": str(day), "event": event, **facts})

    def of(self, *names: str) -> list[Event]:
        """Return the events of some names, in order."""
        return [event for event in self.events if event["event"] in names]

    def last(self, name: str, /, **facts: Any) -> Event | None:
        """Return the last event with this name and these facts."""
        for event in reversed(self.events):
            if event["event"] == name and facts.items() <= event.items():
                return event
        return None


@dataclass
class Observer:
    """Sees from outside what a stage did: by its endpoint, its tracking server if it has one, and its files."""

    stage: Stage
    event_log: EventLog
    _last_written: int = 0

    def __post_init__(self) -> None:
        self._last_written = self._written()

    def observe(self, day: date, by: str) -> None:
        """Log what is new since the last time, done `by` itself or people."""
        self._observe_trainings(day, by)
        try:
            version = self.stage.version()
        except (httpx.HTTPError, StageError):
            return  # it does not answer: that shows when it is asked for predictions
        for kind in ("application", "model"):
            before, name = self.event_log.last("deployment", kind=kind, share=1.0), name_of(version.get(kind))
            if name and (before is None or before["name"] != name):
                self.event_log.write(day, "deployment", kind=kind, name=name, share=1.0, by=by)
        self._observe_challenger(day, by, name_of(version.get("challenger")), version.get("challenger_share"))

    def _observe_challenger(self, day: date, by: str, name: str | None, share: float | None) -> None:
        before = self.challenger()
        if before and before != name:
            self.event_log.write(day, "withdrawn", name=before, by=by)
        if name and name != before:
            self.event_log.write(day, "deployment", kind="model", name=name, share=share, by=by)

    def challenger(self) -> str | None:
        """Return the model that has part of the traffic, as far as the event log knows."""
        moves = self.event_log.of("deployment", "withdrawn")
        of_models = [move for move in moves if move.get("kind") != "application"]
        if of_models and of_models[-1]["event"] == "deployment" and of_models[-1]["share"] < 1:
            return str(of_models[-1]["name"])
        return None

    def _observe_trainings(self, day: date, by: str) -> None:
        if "trained" in self.stage.description:
            if (written := self._written()) != self._last_written:
                self._last_written = written
                keep(self._trained, self.event_log.path.parent / KEPT)
                self.event_log.write(day, "training", by="manual", registered=True, name=None)
            return
        known = len(self.event_log.of("training"))
        for run, version in _trainings(Tracking.of(self.stage))[known:]:
            trigger = run["tags"].get("trigger", "manual" if by == "people" else "schedule")
            self.event_log.write(day, "training", by=trigger, registered=version is not None, name=version)

    @property
    def _trained(self) -> Path:
        return Path(self.stage.fill(self.stage.description.get("trained", "")))

    def _written(self) -> int:
        return self._trained.stat().st_mtime_ns if self._trained.is_file() else 0


def name_of(model: str | None) -> str | None:
    """Return a model's name without the digest of its package, which no two simulations share."""
    return model.partition("@")[0] if model else None


def _trainings(tracking: Tracking) -> list[tuple[dict[str, Any], str | None]]:
    """Return each training run, oldest first, with the name of the version that came of it."""
    try:
        runs, versions = tracking.runs(), tracking.versions()
    except httpx.HTTPError:
        return []  # the server does not answer today
    experiments = {run["experiment"] for run in runs if "trigger" in run["tags"]}
    names = {version["run_id"]: f"{MODEL}/{number}" for number, version in versions.items()}
    return [(run, names.get(run["run_id"])) for run in runs if run["experiment"] in experiments]

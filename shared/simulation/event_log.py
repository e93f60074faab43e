"""What happened, a line of JSON each: written by the world, never by a level, so that all are measured alike.

Every event has a `day` and is of one kind, `event`:

- `play`: what is played; the first line.
- `incident`: one `begins`, `happened` (what a mishap did) or `ends`.
- `ticked`, `acted`, `day`: how far a day has got, so that a play that was stopped goes on there.
- `alarm`: the machine said that something is wrong.
- `training`: a model was made or tried, `by` what, and whether it was `registered`.
- `deployment`: of kind model (`share`: to part of the traffic) or application; `by` itself or people.
- `withdrawn`: a model left its share of the traffic without ever having had all of it.
- `step`: a person did something; `sign`: something people will notice and act upon (see assumptions.yaml).
- `served`: how many flights were asked about and answered, and how well.

What is measured in seconds, and what names itself at random, is in `measured.jsonl` beside it.
"""

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from ..base import StageError, write_text
from ..stack.stage import Stage

Event = dict[str, Any]


@dataclass
class Ledger:
    """The events of one play, kept in a file that only grows."""

    path: Path
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.path.exists():
            lines = self.path.read_text().splitlines(keepends=True)
            whole = [line for line in lines if line.endswith("\n")]
            if whole != lines:
                write_text(self.path, "".join(whole))  # without what was being written when the play was killed
            self.events = [json.loads(line) for line in whole]

    def write(self, day: date | str, event: str, **facts: Any) -> None:
        """Add one event."""
        line = {"day": str(day), "event": event, **facts}
        self.events.append(line)
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def of(self, *kinds: str) -> list[Event]:
        """Return the events of some kinds, in order."""
        return [each for each in self.events if each["event"] in kinds]

    def last(self, event: str, **facts: Any) -> Event | None:
        """Return the last event with this name and these facts."""
        fits = (each for each in reversed(self.events) if each["event"] == event)
        return next((each for each in fits if facts.items() <= each.items()), None)


@dataclass
class Observer:
    """Sees from outside what a stage did: by its door, its registry of models if it has one, and its files."""

    stage: Stage
    ledger: Ledger
    _written: int = 0

    def __post_init__(self) -> None:
        self._written = self._last_written()

    def look(self, day: date, by: str) -> None:
        """Write down what is new since the last look, done `by` itself or people."""
        self._look_at_trainings(day, by)
        try:
            said = self.stage.version()
        except (httpx.HTTPError, StageError):
            return  # it does not answer: that shows when it is asked for predictions
        for kind in ("application", "model"):
            before = self.ledger.last("deployment", kind=kind, share=1.0)
            if said.get(kind) and (before is None or before["name"] != _name(said[kind])):
                self.ledger.write(day, "deployment", kind=kind, name=_name(said[kind]), share=1.0, by=by)
        self._look_at_challenger(day, by, _name(said.get("challenger")), said.get("challenger_share"))

    def _look_at_challenger(self, day: date, by: str, name: str | None, share: float | None) -> None:
        on_trial = self.challenger()
        if on_trial and on_trial != name:
            self.ledger.write(day, "withdrawn", name=on_trial, by=by)
        if name and name != on_trial:
            self.ledger.write(day, "deployment", kind="model", name=name, share=share, by=by)

    def challenger(self) -> str | None:
        """Return the model that has part of the traffic, as far as the ledger knows."""
        moves = [each for each in self.ledger.of("deployment", "withdrawn") if each.get("kind") != "application"]
        if moves and moves[-1]["event"] == "deployment" and moves[-1]["share"] < 1:
            return str(moves[-1]["name"])
        return None

    def _look_at_trainings(self, day: date, by: str) -> None:
        if "trained" in self.stage.description:
            if (written := self._last_written()) != self._written:
                self._written = written
                self.ledger.write(day, "training", by="manual", registered=True, name=None)
            return
        if "MLFLOW_TRACKING_URI" not in self.stage.environment:
            return
        seen = len(self.ledger.of("training"))
        for run, version in _trainings(self.stage.environment["MLFLOW_TRACKING_URI"])[seen:]:
            trigger = run.get("trigger", "manual" if by == "people" else "schedule")
            self.ledger.write(day, "training", by=trigger, registered=version is not None, name=version)

    def _last_written(self) -> int:
        path = Path(self.stage.fill(self.stage.description.get("trained", "")))
        return path.stat().st_mtime_ns if path.is_file() else 0


def _name(model: str | None) -> str | None:
    """Return a model's name without the digest of its package, which no two plays share."""
    return model.partition("@")[0] if model else None


def _trainings(server: str) -> list[tuple[dict[str, str], str | None]]:
    """Return the tags of each training run, oldest first, with the version that came of it."""
    door = f"{server}/api/2.0/mlflow"
    try:
        experiments = _read("GET", f"{door}/experiments/search", max_results=100).get("experiments", [])
        asked = {"experiment_ids": [each["experiment_id"] for each in experiments], "max_results": 1000}
        runs = _read("POST", f"{door}/runs/search", **asked).get("runs", [])
        versions = _read("GET", f"{door}/model-versions/search", max_results=1000).get("model_versions", [])
    except httpx.HTTPError:
        return []  # the registry does not answer today
    tags = [{tag["key"]: tag["value"] for tag in run["data"].get("tags", [])} for run in runs]
    training = {run["info"]["experiment_id"] for run, each in zip(runs, tags, strict=True) if "trigger" in each}
    made = {each["run_id"]: f"{each['name']}/{each['version']}" for each in versions}
    found = [
        (run["info"]["start_time"], each, made.get(run["info"]["run_id"]))
        for run, each in zip(runs, tags, strict=True)
        if run["info"]["experiment_id"] in training
    ]
    return [(each, version) for _, each, version in sorted(found, key=lambda one: one[0])]


def _read(method: str, address: str, **content: Any) -> dict[str, Any]:
    sent: dict[str, Any] = {"params": content} if method == "GET" else {"json": content}
    answer = httpx.request(method, address, timeout=30, **sent)
    answer.raise_for_status()
    return dict(answer.json())

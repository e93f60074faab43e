"""When people notice and act: from the signs of a day to what is done on another, as assumptions.yaml has it."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from .event_log import Event, EventLog

ASSUMPTIONS = Path(__file__).with_name("assumptions.yaml")
# What people do about a sign: make and release a model, release the one that waits, or look at what is held.
REMEDIES = {
    "failed step": "model",
    "no answers": "model",
    "alarm": "model",
    "hold": "look",
    "candidate waits": "release",
    "wrong answers": "model",
    "old model": "model",
}
# The kinds of a level's alarms that people are meant to act upon; it acts upon the others itself.
ALARMS = {"alarm": {"failed", "refused"}, "hold": {"held"}}


def read_assumptions() -> dict[str, Any]:
    """Return how people behave."""
    assumptions: dict[str, Any] = yaml.safe_load(ASSUMPTIONS.read_text())
    return assumptions


def working_days_after(day: date, count: int) -> date:
    """Return the day that is `count` working days later; a weekend's day counts as the Friday before."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day


@dataclass
class OperatorModel:
    """Keeps what people will notice and do, in the event log and nowhere else."""

    event_log: EventLog
    assumptions: dict[str, Any] = field(default_factory=read_assumptions)

    def read_signs(self, day: date) -> None:
        """Write down the signs of a day that nobody is concerned with yet."""
        for sign in self._signs(day):
            about = self._waiting() if sign == "candidate waits" else None
            if not self._pending(sign, about):
                noticed = working_days_after(day, self.assumptions["notice"][sign]["days"])
                acts = working_days_after(noticed, self.assumptions["act"][sign]["days"])
                # What shows on a day is acted upon on a later one: today's work is done.
                acts = max(acts, day + timedelta(days=1))
                self.event_log.write(day, "sign", kind=sign, about=about, noticed=str(noticed), acts=str(acts))

    def due(self, day: date) -> list[tuple[str, str]]:
        """Return what people have yet to do today, as sign and remedy: what is still needed, each remedy once."""
        todo: dict[str, str] = {}
        for event in self.event_log.of("sign"):
            if event["acts"] == str(day) and self._still_needed(event):
                todo.setdefault(REMEDIES[event["kind"]], event["kind"])
        if "model" in todo:
            todo.pop("release", None)
        done = {REMEDIES[event["on"]] for event in self.event_log.of("acted") if event["day"] == str(day)}
        return [(sign, remedy) for remedy, sign in todo.items() if remedy not in done]

    def _pending(self, sign: str, about: str | None) -> bool:
        last = self.event_log.last("sign", kind=sign, about=about)
        if about:
            return last is not None  # it was decided once
        return last is not None and last["acts"] > self.event_log.events[-1]["day"]

    def _signs(self, day: date) -> list[str]:
        today = [event for event in self.event_log.events if event["day"] == str(day)]
        signs = []
        if any(event["event"] == "step" and not event["ok"] for event in today):
            signs.append("failed step")
        served = self.event_log.of("served")
        if served and served[-1]["answered"] < served[-1]["flights"]:
            signs.append("no answers")
        alarms = {event["kind"] for event in today if event["event"] == "alarm"}
        signs += [sign for sign, kinds in ALARMS.items() if alarms & kinds]
        if self._waiting():
            signs.append("candidate waits")
        if self._off(served):
            signs.append("wrong answers")
        trained = [event["day"] for event in self.event_log.of("training") if event["registered"]]
        quarter = timedelta(days=self.assumptions["signs"]["quarter_days"])
        if trained and date.fromisoformat(trained[-1]) + quarter <= day:
            signs.append("old model")
        return signs

    def _waiting(self) -> str | None:
        """Return the newest model if it has never been in service."""
        training = self.event_log.last("training", registered=True)
        if training is None or self.event_log.last("deployment", name=training["name"]):
            return None
        return str(training["name"]) if training["name"] else None

    def _off(self, served: list[Event]) -> bool:
        """Tell whether answers have been off in one direction for long."""
        signs = self.assumptions["signs"]
        release = self.event_log.last("deployment", kind="model", share=1.0)
        same_model = [event for event in served if release and event["day"] >= release["day"]]
        recent = same_model[-signs["off_days"] - 1 : -1]  # today's outcomes are known tomorrow
        arrived = sum(event["arrived"] for event in recent)
        if len(recent) < signs["off_days"] or not arrived:
            return False
        off = sum(event["expected_late"] - event["late"] for event in recent) / arrived
        return abs(off) >= signs["off_by"]

    def _still_needed(self, sign: Event) -> bool:
        """Tell whether nothing has settled the matter since."""
        since = self.event_log.events[self.event_log.events.index(sign) + 1 :]
        new_model = any(event["event"] == "deployment" and event["kind"] == "model" for event in since)
        if sign["kind"] == "candidate waits":
            return self._waiting() == sign["about"]
        if sign["kind"] == "no answers":
            last = self.event_log.last("served")
            return last is not None and last["answered"] < last["flights"]
        if sign["kind"] in ("alarm", "failed step"):
            tried = self.event_log.last("training")
            return tried is not None and not tried["registered"]
        return sign["kind"] == "hold" or not new_model

"""What can be simulated, where it is kept, and whether it is finished, by the code that is here now."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import base
from ..base import ROOT
from ..stack.stage import Stage
from ..world.incidents import SEED, Incident
from ..world.period import Period
from .event_log import EventLog

# Modules that an event log depends on, beside level and packages; without incidents, on all but the first three.
MODULES = (
    "world/incidents",
    "world/faults",
    "world/bad_models",
    "stack/operator",
    "simulation/operator_model",
    "simulation/run",
    "simulation/event_log",
    "simulation/replay",
    "world/dataset",
)
MODULES_WITHOUT_INCIDENTS = MODULES[3:]
USUAL, NOBODY = "usual", "none"  # who works at the level


@dataclass(frozen=True)
class Scenario:
    """A level, some days of the year, what goes wrong on them, and who is there."""

    level: int
    period: Period
    incidents: tuple[Incident, ...]
    people: str

    def __str__(self) -> str:
        """Return its name, for people."""
        return f"level {self.level}, {'with incidents' if self.injected else 'calm'}, people: {self.people}"

    @property
    def injected(self) -> list[str]:
        """Return the incidents that are not in the data already."""
        return [incident.id for incident in self.incidents if not incident.natural]

    @property
    def kind(self) -> str:
        """Return in short what goes wrong, and who is there."""
        short = hashlib.sha256(" ".join(self.injected).encode()).hexdigest()[:6] if self.injected else "calm"
        return f"{short}-{self.people}"

    def folder(self) -> Path:
        """Return where its simulation is kept; another scenario has another folder."""
        dates = f"{self.period.first:%m%d}-{self.period.last:%m%d}"
        return base.WORKSPACES / "simulation" / f"{self.level}-{dates}-{self.kind}"

    def event_log(self) -> EventLog:
        """Return the event log of its simulation, as far as that has come."""
        return EventLog(self.folder() / "events.jsonl")

    def replayed(self) -> Path:
        """Return the file of its replay, which is written last."""
        return self.folder() / "replayed.parquet"

    def days_over(self) -> int:
        """Return how many of its days have been simulated."""
        return len(list(self.folder().glob("answers/*.parquet")))

    def workspace(self) -> Path:
        """Return where the stage works: a short path, since the name of a socket must be one."""
        short = hashlib.sha256(self.kind.encode()).hexdigest()[:4]
        return base.WORKSPACES / f"simulated{self.level}{short}"

    def header(self) -> dict[str, Any]:
        """Return the first event: scenarios that agree in it have the same event log."""
        return {
            "day": str(self.period.first),
            "event": "scenario",
            "level": self.level,
            "last": str(self.period.last),
            "incidents": self.injected,
            "people": self.people,
            "seed": SEED,
            "code": fingerprint(self.level, MODULES if self.incidents else MODULES_WITHOUT_INCIDENTS),
        }


def fingerprint(level: int, modules: tuple[str, ...]) -> str:
    """Return a hash of the level's files, of some modules of `shared`, and of the locked packages."""
    package = ROOT / Stage(level).package
    files = [path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    files = [path for path in files if "tests" not in path.parts and path.suffix != ".md"]
    files += [ROOT / "shared" / f"{module}.py" for module in modules]
    files += [ROOT / "shared" / "simulation" / "assumptions.yaml", ROOT / "requirements.lock"]
    content = b"".join(str(path.relative_to(ROOT)).encode() + path.read_bytes() for path in sorted(files))
    return hashlib.sha256(content).hexdigest()[:12]


def is_finished(scenario: Scenario) -> bool:
    """Tell whether a scenario was simulated to its end, by the code that is here now."""
    return matches(scenario.event_log(), scenario) and scenario.replayed().exists()


def matches(event_log: EventLog, scenario: Scenario) -> bool:
    """Tell whether an event log is of this scenario, by the code that is here now."""
    return bool(event_log.events) and event_log.events[0] == scenario.header()

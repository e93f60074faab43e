"""What can be played, where it is kept, and whether it has been played to its end by the code that is here now."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import base
from ..base import ROOT
from ..stack.stage import Stage
from ..world.incidents import SEED, Incident
from ..world.period import Window
from .event_log import Ledger

# What the same ledger depends on, beside level and packages; a year without incidents, on all but the first three.
WORLD = (
    "world/incidents",
    "world/faults",
    "world/bad_models",
    "stack/operator",
    "simulation/operator_model",
    "simulation/run",
    "simulation/event_log",
    "world/dataset",
)
CALM_WORLD = WORLD[3:]
USUAL, NOBODY = "usual", "none"


@dataclass(frozen=True)
class Play:
    """What is played."""

    level: int
    window: Window
    incidents: tuple[Incident, ...]
    people: str

    def folder(self) -> Path:
        """Return where the play is kept; another play has another folder."""
        planted = [each.id for each in self.incidents if not each.natural]
        short = hashlib.sha256(" ".join(planted).encode()).hexdigest()[:6] if planted else "calm"
        days_ = f"{self.window.first:%m%d}-{self.window.last:%m%d}"
        return base.WORKSPACES / "replay" / f"{self.level}-{days_}-{short}-{self.people}"

    def workspace(self) -> Path:
        """Return where the stage works: a short path, since the name of a socket must be one."""
        return base.WORKSPACES / f"replay{self.level}"

    def header(self) -> dict[str, Any]:
        """Return what the first line of the ledger says: plays with the same first line have the same ledger."""
        return {
            "level": self.level,
            "last": str(self.window.last),
            "incidents": [each.id for each in self.incidents if not each.natural],
            "people": self.people,
            "seed": SEED,
            "code": code_of(self.level, WORLD if self.incidents else CALM_WORLD),
        }


def code_of(level: int, world: tuple[str, ...]) -> str:
    """Return a fingerprint of the level's files, the world's rules and the packages."""
    package = ROOT / Stage(level).package
    files = [path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    files = [path for path in files if "tests" not in path.parts and path.suffix != ".md"]
    files += [ROOT / "shared" / f"{name}.py" for name in world]
    files += [ROOT / "shared" / "simulation" / "assumptions.yaml", ROOT / "requirements.lock"]
    content = b"".join(str(path.relative_to(ROOT)).encode() + path.read_bytes() for path in sorted(files))
    return hashlib.sha256(content).hexdigest()[:12]


def is_finished(play: Play) -> bool:
    """Tell whether the play was played to its end, by the code that is here now."""
    ledger = Ledger(play.folder() / "ledger.jsonl")
    return bool(ledger.events) and fits(ledger, play) and ledger.last("day", day=str(play.window.last)) is not None


def fits(ledger: Ledger, play: Play) -> bool:
    """Tell whether a ledger is of this play, by this code."""
    return {"day": str(play.window.first), "event": "play", **play.header()} == ledger.events[0]

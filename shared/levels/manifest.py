"""docs/levels.yaml: the rooms of a level, the arrows between them, and what each step changes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..base import ROOT, StageError

MANIFEST = "docs/levels.yaml"
PROSE = Path("docs", "lessons")  # the source of the lessons, by step
TOP = "top"  # the files that stand in no room

Arrows = dict[str, list[str]]  # by room: the rooms right below it


@dataclass(frozen=True)
class File:
    """One file that a step adds, changes or removes, why, and which chapter of its lessons is about it."""

    file: str
    change: str
    why: str
    chapter: str = ""


@dataclass(frozen=True)
class Room:
    """One room in a step: what becomes of it, and of which files."""

    room: str
    change: str
    files: list[File]


@dataclass(frozen=True)
class Step:
    """From one level to the next: every room, in reading order."""

    below: str
    above: str
    rooms: list[Room]

    @property
    def files(self) -> list[File]:
        """Return the files that are not the same on both sides, in reading order."""
        return [file for room in self.rooms for file in room.files]

    @property
    def changes(self) -> dict[str, str]:
        """Return `added`, `changed` or `removed` by file."""
        return {file.file: file.change for file in self.files}


def number(level: str) -> str:
    """Return the number in the name of a level's folder."""
    return level.removeprefix("level").partition("_")[0]


def room_of(file: str, rooms: Arrows) -> str:
    """Return the room of a file of a level; the tests of a room belong to it."""
    parts = Path(file).parts
    parts = parts[1:] if parts[0] == "tests" else parts
    return parts[0] if len(parts) > 1 and parts[0] in rooms else TOP


def read_arrows(of: str, root: Path = ROOT) -> Arrows:
    """Return the rooms of a `level` or of `shared`, each with those right below it.

    Raises:
        StageError: the manifest has none.
    """
    return dict(_read(root, lambda manifest: manifest["arrows"][of]))


def read_rooms(root: Path = ROOT) -> dict[str, str]:
    """Return what each room of a level is for.

    Raises:
        StageError: the manifest does not list them.
    """
    return dict(_read(root, lambda manifest: manifest["rooms"]))


def read_steps(root: Path = ROOT) -> list[Step]:
    """Return the steps that the manifest lists.

    Raises:
        StageError: the manifest is missing, or an entry lacks something.
    """
    return list(_read(root, lambda manifest: [_step(step) for step in manifest["steps"]]))


def _step(step: dict[str, Any]) -> Step:
    rooms = []
    for room in step["rooms"]:
        files = [File(**{"change": room["change"]} | file) for file in room.get("files", [])]
        rooms.append(Room(room["room"], room["change"], files))
    return Step(step["from"], step["to"], rooms)


def _read(root: Path, take: Any) -> Any:
    try:
        return take(yaml.safe_load((root / MANIFEST).read_text()))
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise StageError(
            f"{MANIFEST} cannot be read ({error}): it has `arrows`, `rooms` and `steps`; a step has `from`, `to` "
            "and `rooms`; a room has `room`, `change` and, unless it is the same, `files`; each of the files has "
            "`file`, `change`, `why` and `chapter`"
        ) from error

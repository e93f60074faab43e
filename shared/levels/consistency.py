"""What keeps the copies honest: the list of what each step changes, held against the files."""

import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from ..base import ROOT, StageError, git, replacing
from .manifest import MANIFEST, Arrows, Room, Step, number, read_arrows, read_steps, room_of

# A project can start from a level: its code knows neither its own number nor its neighbours.
CODE = {".py", ".conf", ".yaml", ".yml"}
NUMBER = re.compile(r"(?i:\blevel[ _-]?\d)|\bLEVEL=\d")
OUTSIDE = re.compile(r"\s*(from (shared|level\d\w*)[.\w]* import|import (shared|level\d\w*)\b)")
MARKER = "__init__.py"  # makes a folder a package, and needs no explanation

Tree = dict[str, bytes]  # file, content
Trees = dict[str, Tree]  # by level


def read_trees(root: Path = ROOT) -> Trees:
    """Return the files of every level: those that git tracks, and those that `git add` would add."""
    kinds = "--cached", "--others", "--exclude-standard"
    trees: Trees = {}
    for name in sorted(set(git(root, "ls-files", "-z", *kinds, "--", "level[0-9]_*/*").split("\0")[:-1])):
        if (root / name).is_file():
            level, file = name.split("/", 1)
            trees.setdefault(level, {})[file] = (root / name).read_bytes()
    return trees


def problems(root: Path = ROOT) -> list[str]:
    """Return what is wrong with the copies, each with what to do about it."""
    trees, steps, arrows = read_trees(root), read_steps(root), read_arrows("level", root)
    found = [problem for level in trees for problem in _strangers(level, trees[level])]
    pairs = list(pairwise(trees))
    if [(step.below, step.above) for step in steps] != pairs:
        expected = ", ".join(f"{below} to {above}" for below, above in pairs)
        found.append(f"{MANIFEST} must have one step for each level and the next, in order: {expected}")
    for step in steps:
        below, above = (_by_room(trees.get(level, {}), arrows) for level in (step.below, step.above))
        found += _rooms(step, below, above)
        for room in step.rooms:
            found += _files(step, room, below.get(room.room, {}), above.get(room.room, {}))
    return found


def _strangers(level: str, files: Tree) -> Iterator[str]:
    """Yield the lines of code that refer to something outside their level."""
    for file, content in files.items():
        if Path(file).suffix not in CODE and Path(file).name != "Dockerfile":
            continue
        for n, line in enumerate(content.decode().splitlines(), start=1):
            place = f"{level}/{file}, line {n},"
            if OUTSIDE.match(line):
                yield f"{place} imports by an absolute name: import relatively, and only inside the level"
            elif named := NUMBER.search(line):
                yield f"{place} has {named[0]!r}, but no level knows its number: take it out"


def _by_room(tree: Tree, arrows: Arrows) -> Trees:
    rooms: Trees = {}
    for file, content in tree.items():
        rooms.setdefault(room_of(file, arrows), {})[file] = content
    return rooms


def _rooms(step: Step, below: Trees, above: Trees) -> Iterator[str]:
    """Yield where the manifest and the folders do not agree about the rooms of a step."""
    listed = [room.room for room in step.rooms]
    if len(set(listed)) < len(listed):
        yield f"{MANIFEST} lists a room twice on the way to {step.above}: list each once"
    for name in sorted((below.keys() | above.keys()) - set(listed)):
        yield f"{MANIFEST} does not list `{name}` on the way to {step.above}: add it"
    for room in step.rooms:
        change = _change(below.get(room.room, {}), above.get(room.room, {}))
        if room.change != change:
            yield (
                f"{MANIFEST} lists {step.above}/{room.room} as {room.change}, but it is {change}: "
                f"correct the list, or run `make sync FROM={number(step.below)}`"
            )


def _change(before: Tree, after: Tree) -> str:
    if before == after:
        return "same"
    return "changed" if before and after else "added" if after else "removed"


def _files(step: Step, room: Room, below: Tree, above: Tree) -> Iterator[str]:
    """Yield where the manifest and the files do not agree about a room."""
    listed = {file.file: file.change for file in room.files}
    actual = _changes(below, above)
    for file in sorted(listed.keys() | actual.keys()):
        expected, change, path = listed.get(file), actual.get(file), f"{step.above}/{file}"
        if expected and expected != change:
            actually = change or f"not {expected}"
            yield f"{MANIFEST} lists {path} as {expected}, but it was {actually}: correct the list"
        elif not expected and change == "added":
            yield f"{path} was added: list it in {MANIFEST}, or delete it"
        elif not expected:
            yield f"{path} was {change}: run `make sync FROM={number(step.below)}`, or list it in {MANIFEST}"
    if len(listed) < len(room.files):
        yield f"{MANIFEST} lists a file twice on the way to {step.above}: list each once"


def _changes(below: Tree, above: Tree) -> dict[str, str]:
    changed = {file: "changed" for file in below.keys() & above.keys() if below[file] != above[file]}
    added, removed = above.keys() - below.keys(), below.keys() - above.keys()
    one_sided = dict.fromkeys(added, "added") | dict.fromkeys(removed, "removed")
    return changed | {file: change for file, change in one_sided.items() if Path(file).name != MARKER}


def sync(level: str, root: Path = ROOT) -> list[Path]:
    """Carry the files of level number `level` upward, each until the first step that lists it.

    Returns the files that were written.

    Raises:
        StageError: there is no such level, or none above it.
    """
    trees, steps = read_trees(root), read_steps(root)
    starts = [number(step.below) for step in steps]
    if level not in starts:
        raise StageError(
            f"nothing can be carried upward from level {level!r}: choose FROM among {', '.join(starts)}"
        )
    way = steps[starts.index(level) :]
    written = []
    for file, content in trees[way[0].below].items():
        for step in way:
            if file in step.changes:
                break
            if trees.get(step.above, {}).get(file) != content:
                with replacing(root / step.above / file) as part:
                    shutil.copy(root / way[0].below / file, part)
                written.append(Path(step.above, file))
    return written

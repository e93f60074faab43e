"""What keeps the copies honest: the list of what each level changes, held against the files."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import yaml

from ..stack.stage import ROOT, StageError

MANIFEST = "docs/levels.yaml"

# A level can be taken away and renamed: its code knows neither its own number nor its neighbours.
CODE = {".py", ".conf", ".yaml", ".yml"}
NUMBER = re.compile(r"(?i:\blevel[ _-]?\d)|\bLEVEL=\d")
OUTSIDE = re.compile(r"\s*(from (shared|level\d\w*)[.\w]* import|import (shared|level\d\w*)\b)")

Trees = dict[str, dict[str, bytes]]  # level, file in it, content


@dataclass(frozen=True)
class File:
    """One file that a step adds, changes or removes, and why."""

    file: str
    change: str
    why: str


@dataclass(frozen=True)
class Step:
    """From one level to the next: the files that are not the same, in reading order."""

    below: str
    above: str
    files: list[File]

    @property
    def changes(self) -> dict[str, str]:
        """Return `added`, `changed` or `removed` by file."""
        return {file.file: file.change for file in self.files}


def number(level: str) -> str:
    """Return the number in the name of a level's folder."""
    return level.removeprefix("level").partition("_")[0]


def read_steps(root: Path = ROOT) -> list[Step]:
    """Return the steps that the manifest lists.

    Raises:
        StageError: the manifest is missing, or an entry lacks something.
    """
    try:
        steps = yaml.safe_load((root / MANIFEST).read_text())
        return [Step(step["from"], step["to"], [File(**file) for file in step["files"]]) for step in steps]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise StageError(
            f"{MANIFEST} cannot be read ({error}): a step has `from`, `to` and `files`, "
            "and each of the files has `file`, `change` and `why`"
        ) from error


def git(root: Path, *arguments: str, stdin: str = "", **environment: str) -> str:
    """Run git in `root` and return what it prints."""
    command, variables = ["git", "-C", str(root), *arguments], os.environ | environment
    done = subprocess.run(command, input=stdin, env=variables, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise StageError(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout


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
    trees, steps = read_trees(root), read_steps(root)
    found = [problem for level in trees for problem in _strangers(level, trees[level])]
    pairs = list(pairwise(trees))
    if [(step.below, step.above) for step in steps] != pairs:
        expected = ", ".join(f"{below} to {above}" for below, above in pairs)
        found.append(f"{MANIFEST} must have one step for each level and the next, in order: {expected}")
    for step in steps:
        found += _undeclared(step, trees)
    return found


def _strangers(level: str, files: dict[str, bytes]) -> Iterator[str]:
    """Yield the lines of code that know about the world outside their level."""
    for file, content in files.items():
        if Path(file).suffix not in CODE and Path(file).name != "Dockerfile":
            continue
        for n, line in enumerate(content.decode().splitlines(), start=1):
            place = f"{level}/{file}, line {n},"
            if OUTSIDE.match(line):
                yield f"{place} imports by an absolute name: import relatively, and only inside the level"
            elif named := NUMBER.search(line):
                yield f"{place} says {named[0]!r}, but no level knows its number: take it out"


def _undeclared(step: Step, trees: Trees) -> Iterator[str]:
    """Yield where the manifest and the files do not agree about a step."""
    listed, actual = step.changes, _changes(trees.get(step.below, {}), trees.get(step.above, {}))
    for file in sorted(listed.keys() | actual.keys()):
        said, done, path = listed.get(file), actual.get(file), f"{step.above}/{file}"
        if said and said != done:
            yield f"{MANIFEST} lists {path} as {said}, but it was {done or f'not {said}'}: correct the list"
        elif not said and done == "added":
            yield f"{path} was added: list it in {MANIFEST}, or delete it"
        elif not said:
            yield f"{path} was {done}: run `make sync FROM={number(step.below)}`, or list it in {MANIFEST}"
    if len(listed) < len(step.files):
        yield f"{MANIFEST} lists a file twice on the way to {step.above}: list each once"


def _changes(below: dict[str, bytes], above: dict[str, bytes]) -> dict[str, str]:
    changed = {file: "changed" for file in below.keys() & above.keys() if below[file] != above[file]}
    added, removed = above.keys() - below.keys(), below.keys() - above.keys()
    return changed | dict.fromkeys(added, "added") | dict.fromkeys(removed, "removed")


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
                _copy(root / way[0].below / file, root / step.above / file)
                written.append(Path(step.above, file))
    return written


def _copy(source: Path, target: Path) -> None:
    """Copy under a temporary name, then rename: nobody ever sees half a file."""
    part = target.with_name(f"{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, part)
    part.replace(target)

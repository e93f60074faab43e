"""What a level costs: its lines, its packages, and what its simulation was measured to take."""

import json
import re
import tomllib
from collections import defaultdict
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from ..base import ROOT, levels

CODE = {".py", ".yaml", ".yml", ".conf"}


def lines(level: int) -> dict[str, int]:
    """Count the lines that are not empty: of code and configuration, a notebook's code included, and of tests."""
    count: dict[str, int] = {"code": 0, "tests": 0}
    for path in sorted((ROOT / levels()[level]).rglob("*")):
        if "__pycache__" in path.parts:
            continue
        text = ""
        if path.suffix == ".ipynb":
            cells = json.loads(path.read_text())["cells"]
            text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        elif path.suffix in CODE or path.name == "Dockerfile":
            text = path.read_text()
        count["tests" if "tests" in path.parts else "code"] += sum(
            bool(line.strip()) for line in text.splitlines()
        )
    return count


def packages(level: int) -> dict[str, int]:
    """Count the packages of a level's group with all they need, and their size in MB as installed here."""
    installed: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = [(requirement, "") for requirement in _group(f"level{level}")]
    while todo:
        requirement, extra = todo.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        try:
            package = installed.setdefault(name, distribution(name))
        except PackageNotFoundError:
            continue  # for another platform, or an extra that is not installed
        key = (name, frozenset(requirement.extras))
        if key not in seen:
            seen.add(key)
            for extra_ in ("", *requirement.extras):
                todo += [(Requirement(text), extra_) for text in package.requires or []]
    return {"packages": len(installed), "packages_mb": round(sum(map(_size, installed.values())) / 2**20)}


def _group(name: str) -> list[Requirement]:
    """Return the requirements of a dependency group, those of the groups it includes among them."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    requirements = []
    for entry in groups[name]:
        requirements += _group(entry["include-group"]) if isinstance(entry, dict) else [Requirement(entry)]
    return requirements


@cache
def _size(package: Distribution) -> int:
    paths = (Path(str(package.locate_file(file))) for file in package.files or [])
    return sum(path.stat().st_size for path in paths if path.is_file() and path.suffix != ".pyc")


def measured(folder: Path) -> dict[str, Any]:
    """Sum up what a simulation was measured to take: seconds by what they went into, processes, memory."""
    seconds: defaultdict[str, float] = defaultdict(float)
    stage: dict[str, Any] = {}
    for line in (folder / "timings.jsonl").read_text().splitlines():
        timing = json.loads(line)
        if timing["what"] == "stage":
            stage = {"processes": timing["processes"], "memory_mb": timing["memory_mb"]}
        else:
            seconds[timing["what"]] += timing["seconds"]
    by = {what: round(spent, 1) for what, spent in sorted(seconds.items())}
    return {"seconds": round(sum(seconds.values()), 1), "seconds_by": by, **stage}

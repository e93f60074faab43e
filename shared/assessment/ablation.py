"""Switch components off from outside, and see whether the probes notice.

The components of a group are switched off in a copy of the project; the scenario runs on the level from there, and
each component's probe must answer otherwise than it does for the whole level. Where several are off on one stage,
a probe may see more missing than its own: what is shown is that it is not blind.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .. import base
from ..base import ROOT, StageError, git, levels
from ..stack.process import last_line, run
from ..world.source import SourceChange, apply_all
from .criteria.criteria import Answer, read_criteria

LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", ".stage", ".cache", "__pycache__", ".*_cache")
SOMEBODY = ("-c", "user.name=somebody", "-c", "user.email=somebody@localhost")


@dataclass(frozen=True)
class Ablation:
    """One component of a level, and how it is switched off."""

    id: str
    file: str
    why: str
    find: str | None = None  # without it, the whole file is removed; empty: the file is added
    put: str = ""

    def switch_off(self, level: Path) -> None:
        """Take the component out of a copy of its level.

        Raises:
            StageError: it is not there, so there is nothing to switch off.
        """
        path = level / self.file
        if self.find is None:
            path.unlink()
        elif self.find == "":
            path.write_text(self.put)
        else:
            apply_all(level, SourceChange(self.file, self.find, self.put))


def switch_off(components: list[Ablation], level: Path) -> None:
    """Take components out of a copy of their level; those that two criteria share, once."""
    for component in {(component.file, component.find): component for component in components}.values():
        component.switch_off(level)


def read_groups(level: int | None = None) -> list[dict[str, Any]]:
    """Return the groups of ablations, of one level or of all that are built, with `components` as Ablations."""
    groups = yaml.safe_load(Path(__file__).with_name("ablations.yaml").read_text())
    return [
        group | {"components": [Ablation(**component) for component in group["components"]]}
        for group in groups
        if group["level"] in levels() and level in (None, group["level"])
    ]


def ablate(group: dict[str, Any], answers: dict[str, str], tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """Assess a level without a group of components; return each criterion's answer with and without its own.

    Args:
        group: of `read_groups`.
        answers: by criterion, what its probe answers for the whole level.
        tell: what to do with a line about progress.
    """
    copy, level = base.WORKSPACES / "ablation", levels()[group["level"]]
    _copy_project(copy)
    switch_off(group["components"], copy / level)
    for line in (["init", "--quiet"], ["add", "--all"], [*SOMEBODY, "commit", "--quiet", "-m", "Switch off"]):
        git(copy, *line)  # what is released is what is committed
    by_id = {component.id: component for component in group["components"]}
    tell(f"level {group['level']}, {group['group']}: {' '.join(by_id)} off")
    result = copy / "result.json"
    command = [sys.executable, "-m", "shared.assessment", "one", str(group["level"]), str(result)]
    command += ["--ids", ",".join(by_id), "--parts", ",".join(group["parts"])]
    done = run(command, copy, os.environ)  # it keeps a stage
    if done.returncode:
        raise StageError(f"{group['group']}: {last_line(done)}")
    column = json.loads(result.read_text())["column"]
    shutil.rmtree(copy)
    return [_judge(group, ablation, answers[name], column[name]) for name, ablation in by_id.items()]


def _copy_project(copy: Path) -> None:
    """Copy the project, with the packages and the year that are here already."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT, symlinks=True)
    for environment in (".venv", ".venv-serving"):
        os.symlink(ROOT / environment, copy / environment)
    (copy / ".stage").mkdir()
    os.symlink(base.WORKSPACES / "year", copy / ".stage" / "year")


def _judge(group: dict[str, Any], ablation: Ablation, usual: str, cell: dict[str, str]) -> dict[str, Any]:
    """Tell whether the probe noticed, and whether it answers as it does one level below."""
    below = str(read_criteria()[ablation.id].expected[max(group["level"] - 1, 0)])
    return {
        "id": ablation.id,
        "level": group["level"],
        "group": group["group"],
        "why": ablation.why,
        "with": usual,
        "without": cell["answer"],
        "below": below,
        "flips": cell["answer"] != usual and cell["answer"] != Answer.ERROR,
        "seen": cell["seen"],
    }

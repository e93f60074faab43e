"""Switch components off from outside, and see whether the probes notice.

A group's components are switched off in a copy of the project; the level is played from there, and each
component's probe must answer otherwise than it does for the whole level. Where several are off on one stage, a
probe may see more missing than its own: what is shown is that it is not blind.
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
from ..stack.docker import run_whole
from .criteria.criteria import Answer, read_criteria

LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", ".stage", ".cache", "__pycache__", ".*_cache")
SOMEBODY = ("-c", "user.name=somebody", "-c", "user.email=somebody@localhost")


@dataclass(frozen=True)
class Ablation:
    """One component of a level, and how it is switched off."""

    id: str
    file: str
    why: str
    find: str | None = None  # without it, the whole file is taken away; empty: the file is put there
    put: str = ""

    def switch_off(self, level: Path) -> None:
        """Take the component out of a copy of its level.

        Raises:
            StageError: it is not there, so there is nothing to switch off.
        """
        path = level / self.file
        if self.find is None:
            path.unlink()
            return
        text = path.read_text() if self.find else self.put
        if self.find and self.find not in text:
            raise StageError(
                f"{self.id}: {path.name} has no {self.find!r}: the ablation must be brought up to date"
            )
        path.write_text(text.replace(self.find, self.put) if self.find else text)


def switch_off(components: list[Ablation], level: Path) -> None:
    """Take components out of a copy of their level; those that two criteria share, once."""
    for each in {(each.file, each.find): each for each in components}.values():
        each.switch_off(level)


def read_groups(level: int | None = None) -> list[dict[str, Any]]:
    """Return the groups of ablations, of one level or of all that are built, with `components` as Ablations."""
    groups = yaml.safe_load(Path(__file__).with_name("ablations.yaml").read_text())
    return [
        group | {"components": [Ablation(**each) for each in group["components"]]}
        for group in groups
        if group["level"] in levels() and level in (None, group["level"])
    ]


def ablate(group: dict[str, Any], answers: dict[str, str], tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """Play one group; return for each criterion what its probe answered with and without the component."""
    copy, level = base.WORKSPACES / "ablation", levels()[group["level"]]
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT, symlinks=True)
    for environment in (".venv", ".venv-serving"):
        os.symlink(ROOT / environment, copy / environment)
    (copy / ".stage").mkdir()
    os.symlink(base.WORKSPACES / "world", copy / ".stage" / "world")  # the year is the same
    switch_off(group["components"], copy / level)
    for line in (["init", "--quiet"], ["add", "--all"], [*SOMEBODY, "commit", "--quiet", "-m", "Switch off"]):
        git(copy, *line)  # what is released is what is committed
    ids = ",".join(dict.fromkeys(each.id for each in group["components"]))
    command = [sys.executable, "-m", "shared.assessment", "--level", str(group["level"]), "--ids", ids]
    command += ["--acts", ",".join(group["acts"]), "--to", str(copy / "found.json")]
    tell(f"level {group['level']}, {group['group']}: {ids.replace(',', ' ')} off")
    done = run_whole(command, copy, dict(os.environ))  # it keeps a stage
    if done.returncode:
        raise StageError(f"{group['group']}: {(done.stderr or done.stdout).strip()[-500:]}")
    column = json.loads((copy / "found.json").read_text())["column"]
    shutil.rmtree(copy)
    by_id = {each.id: each for each in group["components"]}
    return [_judge(group, each, answers[name], column[name]) for name, each in by_id.items()]


def _judge(group: dict[str, Any], ablation: Ablation, usual: str, found: dict[str, str]) -> dict[str, Any]:
    """Tell whether the probe noticed, and whether it answers as it does one level below."""
    below = str(read_criteria()[ablation.id].expected[max(group["level"] - 1, 0)])
    return {
        "id": ablation.id,
        "level": group["level"],
        "group": group["group"],
        "why": ablation.why,
        "with": usual,
        "without": found["answer"],
        "below": below,
        "flips": found["answer"] != usual and found["answer"] != Answer.ERROR,
        "says": found["says"],
    }

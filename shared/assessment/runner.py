"""Play a level once, let every probe look, and write down what each found."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TypedDict

from .. import base
from ..stack.stage import Stage, running
from ..world.dataset import load_year
from .criteria.criteria import Answer, Criterion, read_criteria
from .probes import data, governance, monitoring, registry, release, retraining, tests, training, validation
from .probes.probe import PROBES, Column, Finding
from .scenario.context import Scene
from .scenario.scenario import Played, play

FILES = (data, training, registry, tests, validation, release, monitoring, retraining, governance)


class Found(TypedDict):
    """What was found at one level, in how many seconds, and all that was said."""

    column: Column
    seconds: float
    told: str


def assess(
    level: int,
    tell: Callable[[str], None] = print,
    ids: set[str] | None = None,
    acts: set[str] | None = None,
) -> Found:
    """Play one level, let the probes look, and return what they found."""
    started = time.monotonic()
    stage = Stage(level)
    with running(stage):
        scene = Scene(stage, load_year(base.WORKSPACES / "world"))
        played = play(scene, tell, acts)
        tell("probes")
        column = {
            name: cell(played, criterion)
            for name, criterion in read_criteria().items()
            if ids is None or name in ids
        }
    told = "\n".join(scene.output) + f"\n\nseconds: {json.dumps(played.seconds)}\n"
    return {"column": column, "seconds": round(time.monotonic() - started, 1), "told": told}


def cell(played: Played, criterion: Criterion) -> dict[str, str]:
    """Let one probe look; a probe that cannot is an error, never an absence."""
    probe = PROBES.get(criterion.id)
    if probe is None:
        return {
            "answer": str(Answer.UNPROBED),
            "says": "no probe has been written for this yet",
            "file": "",
            "probe": "",
        }
    said = len(played.scene.output)
    try:
        found = probe(played)
    except Exception as error:  # whatever it is, the other probes look all the same
        why = "; ".join(f"{act}: {reason}" for act, reason in played.failures.items())
        found = Finding(
            Answer.ERROR, f"{type(error).__name__}: {error}" + (f" (acts that failed: {why})" if why else "")
        )
    if len(played.scene.output) > said:
        played.scene.output.insert(said, f"## {criterion.id}")
    told = asdict(found) | {"says": _clean(played.scene, found.says)}
    return {name: str(value) for name, value in told.items()} | {"probe": _where(criterion.id)}


def _clean(scene: Scene, text: str) -> str:
    """Return text on one line, without where this copy of the project lies."""
    return " ".join(scene.short(text).split())


def _where(criterion: str) -> str:
    function = PROBES[criterion]
    return f"{function.__module__.replace('.', '/')}.py"

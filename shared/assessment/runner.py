"""Run the scenario on a level once, run every probe, and write down what each saw."""

import json
import time
from collections.abc import Callable
from typing import TypedDict

from .. import base
from ..stack.stage import Stage, running
from ..world.dataset import load_year
from .criteria.criteria import Answer, Criterion, read_criteria
from .probes import (
    data,
    features,
    governance,
    identity,
    lifecycle,
    monitoring,
    registry,
    rehearsal,
    release,
    retraining,
    tests,
    training,
    validation,
    watching,
)
from .probes.probe import PROBES, Column, Finding
from .scenario.context import Context
from .scenario.scenario import Scenario, run_scenario
from .scenario.subscriber import subscribed

MODULES = (
    *(data, features, training, registry, lifecycle, tests, validation, release, rehearsal, identity),
    *(monitoring, watching, retraining, governance),
)


class Result(TypedDict):
    """What was found at one level, in how many seconds, and all that was printed."""

    column: Column
    seconds: float
    output: str


def assess(
    level: int,
    tell: Callable[[str], None] = print,
    ids: set[str] | None = None,
    parts: set[str] | None = None,
) -> Result:
    """Run the scenario and the probes on one level; return what they found."""
    started = time.monotonic()
    stage = Stage(level)
    with subscribed(stage) as heard, running(stage):
        context = Context(stage, load_year(base.WORKSPACES / "year"), heard=heard)
        scenario = run_scenario(context, tell, parts)
        tell("probes")
        chosen = {name: criterion for name, criterion in read_criteria().items() if ids is None or name in ids}
        column = {name: cell(scenario, criterion) for name, criterion in chosen.items()}
    output = "\n".join(context.output) + f"\n\nseconds: {json.dumps(scenario.seconds)}\n"
    return {"column": column, "seconds": round(time.monotonic() - started, 1), "output": output}


def cell(scenario: Scenario, criterion: Criterion) -> dict[str, str]:
    """Run one probe; a probe that fails is an error, never an absence."""
    probe = PROBES.get(criterion.id)
    if probe is None:
        return _cell(Finding(Answer.UNPROBED, "no probe has been written for this yet"))
    lines = len(scenario.context.output)
    try:
        finding = probe(scenario)
    except Exception as error:  # whatever it is, the other probes run all the same
        failures = "; ".join(f"{part}: {reason}" for part, reason in scenario.failures.items())
        why = f" (parts that failed: {failures})" if failures else ""
        finding = Finding(Answer.ERROR, f"{type(error).__name__}: {error}{why}")
    if len(scenario.context.output) > lines:
        scenario.context.output.insert(lines, f"## {criterion.id}")
    on_one_line = " ".join(scenario.context.short(finding.seen).split())  # and without where this copy lies
    file = f"{probe.__module__.replace('.', '/')}.py"
    return _cell(Finding(finding.answer, on_one_line, finding.file), file)


def _cell(finding: Finding, probe: str = "") -> dict[str, str]:
    return {"answer": str(finding.answer), "seen": finding.seen, "file": finding.file, "probe": probe}

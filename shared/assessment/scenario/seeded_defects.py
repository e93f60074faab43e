"""Models and data with seeded defects, offered the way a level takes them: to its pipeline, or to its people."""

import json
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from ...world.source import SourceChange, apply_all
from .context import Context

BROKEN_DAY = "2013-06-20"  # one whose flights every training here is trained on
HOT = 5_000.0  # °F

# The defects of a notebook, for levels whose models come out of one.
LABEL = r"(table[\"arrival_delay\"] {} LATE_MINUTES)"
IN_A_NOTEBOOK = {
    "bad": SourceChange("**/*.ipynb", LABEL.format(">="), LABEL.format("<")),
    "diverging": SourceChange("**/*.ipynb", r"\"learning_rate\": 0.05", r"\"learning_rate\": 1e6"),
}


@dataclass
class Outcome:
    """What came of one seeded defect."""

    message: str
    version: str = ""  # registered as
    delivered: bool = False  # handed on towards production, past whatever gates there are
    served: bool = False  # in service, by itself or by people
    seeded: tuple[str, ...] = ()  # its defects


def offer(context: Context, day: date) -> dict[str, Outcome]:
    """Offer data and models with defects; a level without a pipeline gets them through its people."""
    snapshots = [run["tags"]["snapshot"] for run in context.tracking.runs() if run["tags"].get("snapshot")]
    module = "shared.assessment.scenario.fault_injection"
    printed = context.stage.lend(module, context.stage.package, (snapshots or [""])[0])
    outcomes = json.loads(printed.strip().splitlines()[-1])
    if outcomes is not None:
        return {name: Outcome(**outcome) for name, outcome in outcomes.items()}
    return _through_people(context, day)


def _through_people(context: Context, day: date) -> dict[str, Outcome]:
    """Let people release a notebook with labels turned around on impossible data, then one that cannot learn."""
    outcomes: dict[str, Outcome] = {}
    dropped = context.workspace / "drop" / "flights" / f"{BROKEN_DAY}.parquet"
    whole = dropped.read_bytes()
    break_values(dropped)
    context.run_day(day)
    outcomes["bad"] = outcomes["broken data"] = _release_copy(context, day, "bad")
    dropped.write_bytes(whole)
    outcomes["diverging"] = _release_copy(context, day, "diverging")
    return outcomes


def _release_copy(context: Context, day: date, defect: str) -> Outcome:
    before, copy = context.serving(), context.workspace / "assess" / defect
    shutil.copytree(context.source, copy / context.stage.package, dirs_exist_ok=True)
    apply_all(copy, IN_A_NOTEBOOK[defect])
    for step in context.people.steps:
        if step.when in ("release", "next release") and step.command:
            done = context.command("bash", "-c", context.stage.fill(step.command, DAY=str(day)), cwd=copy)
            if done.returncode:
                output = (done.stdout + done.stderr).strip()[-400:]
                return Outcome(f"{step.id} failed: {output}", seeded=(defect,))
    context.stage.wait_until_ready()
    after = context.serving()
    return Outcome(f"{before} before, {after} after", served=before != after, delivered=True, seeded=(defect,))


def break_values(path: Path) -> None:
    """Make the weather of one published day impossible."""
    pd.read_parquet(path).assign(temp=HOT).to_parquet(path, index=False)

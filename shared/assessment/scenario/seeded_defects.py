"""Flawed models and data, offered to a level the way it takes them: to its pipeline, or to its people."""

import json
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from ...base import StageError
from .context import Scene

BROKEN_DAY = "2013-06-20"  # one whose flights every training here has learned from
HOT = 5_000.0  # °F

# What is put wrong in a notebook, for levels whose models come out of one.
IN_A_NOTEBOOK = {
    "bad": ('(table[\\"arrival_delay\\"] >= LATE_MINUTES)', '(table[\\"arrival_delay\\"] < LATE_MINUTES)'),
    "diverging": ('\\"learning_rate\\": 0.05', '\\"learning_rate\\": 1e6'),
}


@dataclass
class Outcome:
    """What became of one flawed thing."""

    said: str
    version: str = ""  # registered as
    delivered: bool = False  # handed on towards production, past whatever gates there are
    served: bool = False  # in service, by itself or by people
    planted: tuple[str, ...] = ()  # what was wrong with it


def offer(scene: Scene, day: date) -> dict[str, Outcome]:
    """Offer flawed data and models; a level without a pipeline gets them through its people."""
    snapshots = [run["tags"]["snapshot"] for run in scene.runs() if run["tags"].get("snapshot")]
    done = scene.command(
        "python",
        "-m",
        "shared.assessment.scenario.fault_injection",
        scene.stage.package,
        (snapshots or [""])[0],
        seconds=600,
    )
    (scene.workspace / "logs" / "sabotage.log").write_text(done.stdout + done.stderr)
    if done.returncode:
        raise StageError((done.stderr.strip().splitlines() or ["sabotage died without a word"])[-1])
    told = json.loads(done.stdout.strip().splitlines()[-1])
    if "no pipeline" not in told:
        return {name: Outcome(**outcome) for name, outcome in told.items()}
    return _through_people(scene, day)


def _through_people(scene: Scene, day: date) -> dict[str, Outcome]:
    """Let people release a notebook with labels turned around on impossible data, then one that cannot learn."""
    outcomes: dict[str, Outcome] = {}
    dropped = scene.workspace / "drop" / "flights" / f"{BROKEN_DAY}.parquet"
    whole = dropped.read_bytes()
    break_values(dropped)
    scene.tick(day)
    outcomes["bad"] = outcomes["broken data"] = _release_copy(scene, day, "bad")
    dropped.write_bytes(whole)
    outcomes["diverging"] = _release_copy(scene, day, "diverging")
    return outcomes


def _release_copy(scene: Scene, day: date, flaw: str) -> Outcome:
    before, copy = scene.serving(), scene.workspace / "assess" / flaw
    shutil.copytree(scene.source, copy / scene.stage.package, dirs_exist_ok=True)
    for notebook in copy.rglob("*.ipynb"):
        old, new = IN_A_NOTEBOOK[flaw]
        text = notebook.read_text()
        if old not in text:
            raise StageError(f"{notebook.name} has no {old}: the flaw cannot be planted")
        notebook.write_text(text.replace(old, new))
    said = ""
    for step in scene.people.steps:
        if step.when in ("release", "next release") and step.command:
            done = scene.command("bash", "-c", scene.stage.fill(step.command, DAY=str(day)), cwd=copy)
            said = (done.stdout + done.stderr).strip()[-400:]
            if done.returncode:
                return Outcome(f"{step.id} failed: {said}", planted=(flaw,))
    scene.stage.wait_until_ready()
    after = scene.serving()
    return Outcome(f"{before} before, {after} after", served=before != after, delivered=True, planted=(flaw,))


def break_values(path: Path) -> None:
    """Make the weather of one published day impossible."""
    pd.read_parquet(path).assign(temp=HOT).to_parquet(path, index=False)

"""The same fourteen days on files, on servers, and as replicas on two nodes: same answers, decisions and digests."""

import json
import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import shared.demo.play
from level3_deployment.tests.databases import Server, postgresql  # noqa: F401 - a fixture
from level4_full.tests.buckets import serving_a_bucket
from shared.demo import journal
from shared.stack import elsewhere as servers
from shared.stack.engines import open_stage
from shared.stack.stage import Answer, Stage, running
from shared.stack.tracking import Tracking
from shared.world.period import Period

from .conftest import elsewhere

pytestmark = [pytest.mark.slow, pytest.mark.full]

LEVEL = 4
# The shortest period that holds it all: people's first model, summer storms, an alarm, a retraining, an A/B test.
FIRST, DAYS = "2013-06-22", 14
EXACT = 1e-9  # how far the probabilities of a flight may lie apart


@dataclass(frozen=True)
class Days:
    """What fourteen days have left, without what names itself at random or says when it was."""

    answers: dict[str, Answer]
    events: list[tuple[str, str, str]]  # day, kind and text
    decisions: list[dict[str, Any]]
    versions: list[dict[str, str]]  # number, snapshot, digest, commit
    history: list[tuple[str, str]]  # version, and what became of it
    seconds: float


DECISIONS = """
import json, os
from importlib import import_module
package = os.environ["LEVEL"]
store, paths = import_module(f"{package}.monitoring.store"), import_module(f"{package}.config.paths")
with store.open_store(paths.METRICS_STORE) as connection:
    print(json.dumps(connection.rows("SELECT * FROM decisions ORDER BY day, id"), default=dict))
"""


def play(stage: Stage) -> Days:
    """Play the days through a stage that is running."""
    started = time.monotonic()
    answers = shared.demo.play.play(stage, Period.of(FIRST, DAYS), started)
    seconds = time.monotonic() - started
    played = journal.read(stage.workspace)
    events = [(day.day, kind, text) for day in played for kind, text in day.events]
    versions = Tracking.of(stage).versions()
    told = [
        {"version": number} | {name: tags[name] for name in ("snapshot", "digest", "commit")}
        for number, tags in versions.items()
    ]
    past = sorted(
        (name, number, text)
        for number, tags in versions.items()
        for name, text in tags.items()
        if name.startswith("history.")
    )
    return Days(answers, events, decisions(stage), told, [(number, text) for _, number, text in past], seconds)


def decisions(stage: Stage) -> list[dict[str, Any]]:
    """Ask the stage's store, wherever that is, what was decided."""
    command = [*shlex.split(stage.environment["INSIDE"]), "python", "-c", DECISIONS]
    environment = os.environ | stage.environment
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return [dict(row) for row in json.loads(done.stdout.splitlines()[-1])]


@pytest.fixture(scope="module")
def on_files(tmp_path_factory: pytest.TempPathFactory) -> Days:
    """Play the days with all state in SQLite and files."""
    with elsewhere(tmp_path_factory.mktemp("files")):
        stage = Stage(LEVEL)
        with running(stage):
            return play(stage)


@pytest.fixture
def on_servers(postgresql: Server, tmp_path_factory: pytest.TempPathFactory) -> Days:  # noqa: F811
    """Play the days with all state in PostgreSQL and S3."""
    folder = tmp_path_factory.mktemp("servers")
    with serving_a_bucket(folder) as bucket, elsewhere(folder / "stages") as patch:
        for name in servers.WAYS:
            if name in bucket:
                patch.setenv(name, bucket[name])
        patch.setenv("POSTGRES", postgresql.address().removesuffix("/postgres"))
        patch.setenv("S3", "s3://stage")
        stage = Stage(LEVEL)
        with running(stage):
            days = play(stage)
            assert not list(stage.workspace.glob("*.db")), "what is said to be on servers is in files"
            return days


def test_the_days_hold_a_retraining_and_an_experiment(on_files: Days) -> None:
    assert "retrain" in [decision["action"] for decision in on_files.decisions]
    assert "alarm" in [kind for _, kind, _ in on_files.events]
    assert len(on_files.versions) == len({version["digest"] for version in on_files.versions}) > 1
    assert {answer.arm for answer in on_files.answers.values()} >= {"champion", "challenger"}


def test_postgresql_and_s3_give_what_files_give(on_files: Days, on_servers: Days) -> None:
    check_same(on_files, on_servers)


def check_same(expected: Days, days: Days) -> None:
    """Check that other fourteen days are the same, and say what was compared."""
    assert days.versions == expected.versions
    assert days.history == expected.history
    assert days.decisions == expected.decisions
    assert days.events == expected.events
    assert days.answers.keys() == expected.answers.keys()
    others = [
        flight for flight, answer in expected.answers.items() if not is_same(answer, days.answers[flight])
    ]
    assert not others, f"{len(others)} of {len(expected.answers)}, the first is {others[0]}"
    furthest = max(
        abs(answer.late_probability - days.answers[flight].late_probability)
        for flight, answer in expected.answers.items()
    )
    print(
        f"{len(days.answers):,} flights, at most {furthest:.1g} apart; {len(days.versions)} versions, "
        f"{len(days.decisions)} decisions and {len(days.events)} events are the same; "
        f"{expected.seconds:.0f} s and {days.seconds:.0f} s"
    )


def is_same(one: Answer, other: Answer) -> bool:
    """Tell whether two answers have the same model, of the same digest, the same arm and the same probability."""
    near = max(abs(one.late_probability - other.late_probability), abs(one.intercept - other.intercept)) <= EXACT
    return near and (one.model, one.arm) == (other.model, other.arm)

"""The same fourteen days, on files, on servers and on two nodes, give the same answers, decisions and digests."""

import hashlib
import json
import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

import shared.demo.more_days
import shared.demo.play
from benchmarks.clients import asking
from benchmarks.swarms import containers, give_images
from level3_deployment.tests.databases import Server, postgresql  # noqa: F401 - a fixture
from level4_full.tests.buckets import serving_a_bucket
from shared.demo import journal
from shared.stack.elsewhere import WAYS
from shared.stack.engines import open_stage
from shared.stack.stage import Answer, Stage, running
from shared.stack.swarm import SwarmStage
from shared.stack.tracking import Tracking
from shared.world.period import Period

from .conftest import ROOT, elsewhere, wait_for
from .test_contract import FLIGHT
from .test_two_nodes import second  # noqa: F401 - a fixture

pytestmark = [pytest.mark.slow, pytest.mark.full]

LEVEL = 4
# The shortest period that holds it all: people's first model, summer storms, an alarm, a retraining, an A/B test.
FIRST, DAYS = "2013-06-22", 14
EXACT = 1e-9  # how far the probabilities of a flight may lie apart
NAMED_BY = "snapshot", "commit", "digest"  # tags of a version: MD5 of its table, its code, SHA-256 of its package
PAST = "history."  # begins the tags with what became of it, and when
REPLICAS = 3
SECONDS_AWAY, ENOUGH = 30.0, 100


@dataclass(frozen=True)
class Days:
    """What fourteen days have left, without what names itself at random or says when it was."""

    answers: dict[str, Answer]
    events: list[tuple[str, str, str]]  # day, kind and text
    decisions: list[dict[str, Any]]
    versions: list[dict[str, Any]]  # number, what each was made from, and what is in its package
    history: list[tuple[str, str]]  # version, and what became of it
    seconds: float


# Asked inside the stage, since nobody else reaches its databases everywhere.
ROWS = """
import json, os
from importlib import import_module
package = os.environ["LEVEL"]
database, paths = (import_module(f"{package}.config.{name}") for name in ("database", "paths"))
print(json.dumps([dict(row) for row in database.connect(paths.WHERE).rows("QUERY")]))
"""
DECISIONS = ROWS.replace("WHERE", "METRICS_STORE").replace("QUERY", "SELECT * FROM decisions ORDER BY day, id")
LOGGED = ROWS.replace("WHERE", "PREDICTION_LOG").replace("QUERY", "SELECT flight_id FROM predictions")


def play(stage: Stage) -> Days:
    """Play the days through a stage that is running."""
    started = time.monotonic()
    answers = shared.demo.play.play(stage, Period.of(FIRST, DAYS), started)
    seconds = time.monotonic() - started
    events = [(day.day, kind, text) for day in journal.read(stage.workspace) for kind, text in day.events]
    tracking = Tracking.of(stage)
    tags = tracking.versions()
    versions = [
        {"version": version} | {name: told[name] for name in NAMED_BY} | content(tracking, told["run_id"])
        for version, told in tags.items()
    ]
    moves = [(name, version, text) for version in tags for name, text in tags[version].items() if PAST in name]
    history = [(version, text) for _, version, text in sorted(moves)]
    return Days(answers, events, rows(stage, DECISIONS), versions, history, seconds)


def content(tracking: Tracking, run: str) -> dict[str, Any]:
    """Return what is in a package: a difference is told by what differs, and not by a digest alone."""
    model, description = (tracking.content(run, f"package/{name}") for name in ("model.onnx", "package.json"))
    return {"model": hashlib.sha256(model).hexdigest()} | json.loads(description)


def rows(stage: Stage, code: str) -> list[dict[str, Any]]:
    """Run code inside the stage that prints rows of its databases."""
    command = [*shlex.split(stage.environment["INSIDE"]), "python", "-c", code]
    environment = os.environ | stage.environment
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def on_files(tmp_path_factory: pytest.TempPathFactory) -> Days:
    """Play the days with all state in SQLite and files."""
    with elsewhere(tmp_path_factory.mktemp("files")):
        stage = Stage(LEVEL)
        with running(stage):
            return play(stage)


@pytest.fixture(scope="module")
def servers(postgresql: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, Days]]:  # noqa: F811
    """Play the days with all state in PostgreSQL and S3, and keep the stage up."""
    serving = str(ROOT / ".venv-serving/bin/python")
    if subprocess.run([serving, "-c", "import psycopg"], capture_output=True, check=False).returncode:
        pytest.skip("what serves has no driver for PostgreSQL: `make install POSTGRES=...`")
    folder = tmp_path_factory.mktemp("servers")
    with serving_a_bucket(folder) as bucket, elsewhere(folder / "stages") as patch:
        for name in bucket.keys() & set(WAYS):
            patch.setenv(name, bucket[name])
        patch.setenv("POSTGRES", postgresql.address().removesuffix("/postgres"))
        patch.setenv("S3", "s3://stage")
        stage = Stage(LEVEL)
        with running(stage):
            yield stage, play(stage)


@pytest.fixture
def on_nodes(second: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:  # noqa: F811
    """Play the days through three replicas on two nodes."""
    with elsewhere(tmp_path_factory.mktemp("nodes")) as patch:
        patch.setenv("ENGINE", "swarm")
        patch.setenv("REPLICAS", str(REPLICAS))
        stage = open_stage(LEVEL)
        assert isinstance(stage, SwarmStage)
        give_images(stage)
        try:
            with running(stage):
                days = play(stage)
                here, there = containers(stage, "app"), containers(stage, "app", second)
                assert (bool(here), bool(there), len(here + there)) == (True, True, REPLICAS)
                yield days
        finally:
            stage.remove(volumes=True)


def test_the_days_hold_a_retraining_an_experiment_and_its_end(on_files: Days) -> None:
    assert "retrain" in [decision["action"] for decision in on_files.decisions]
    assert "alarm" in [kind for _, kind, _ in on_files.events]
    assert len({version["digest"] for version in on_files.versions}) == 2
    assert "promoted" in [text.partition(":")[0] for _, text in on_files.history]
    assert {answer.arm for answer in on_files.answers.values()} >= {"champion", "challenger"}


def test_three_replicas_on_two_nodes_give_what_files_give(on_files: Days, on_nodes: Days) -> None:
    check_same("three replicas on two nodes", on_files, on_nodes)


def test_postgresql_and_s3_give_what_files_give(on_files: Days, servers: tuple[Stage, Days]) -> None:
    stage, days = servers
    assert not list(stage.workspace.glob("*.db")), "what should be on servers is in files"
    check_same("PostgreSQL and S3", on_files, days)


def test_postgresql_that_is_away_for_half_a_minute_loses_no_answer_that_was_given(
    servers: tuple[Stage, Days],
    postgresql: Server,  # noqa: F811
) -> None:
    stage, _ = servers
    with asking(stage, "away", FLIGHT, 0) as asked:
        wait_for("answers", lambda: len(asked.answered) > ENOUGH)
        postgresql.stop()
        stopped = time.monotonic()
        try:
            wait_for("half a minute of refusals", lambda: time.monotonic() - stopped > SECONDS_AWAY)
        finally:
            postgresql.start()
        back, before = time.monotonic(), len(asked.answered)
        wait_for("answers again", lambda: len(asked.answered) > before)
        wait_for("more answers", lambda: len(asked.answered) > before + ENOUGH)
    assert {kind for _, kind, _ in asked.failed} == {"503"}
    logged = {row["flight_id"] for row in rows(stage, LOGGED)}
    assert set(asked.answered) <= logged
    print(
        f"PostgreSQL away for {SECONDS_AWAY:.0f} s: {len(asked.answered)} answered, {len(asked.failed)} refused "
        f"with 503, none of the answered missing in the log; answers again {asked.first_answer_after(back):.1f} s "
        "after its return"
    )
    shared.demo.more_days.play_more(Stage(LEVEL), 1)  # whatever else needs the database goes on too
    *_, day = journal.read(stage.workspace)
    assert {"collected", "checked"} <= {kind for kind, _ in day.events}
    assert not [text for kind, text in day.events if kind == "failed"]


def check_same(where: str, expected: Days, days: Days) -> None:
    """Check that the days are the same elsewhere, and say what was compared."""
    assert days.answers.keys() == expected.answers.keys()
    pairs = [(answer, days.answers[flight]) for flight, answer in expected.answers.items()]
    furthest = max(abs(one.late_probability - other.late_probability) for one, other in pairs)
    print(f"{where}: {len(pairs):,} flights, at most {furthest:.1g} apart", flush=True)
    assert days.decisions == expected.decisions
    assert days.events == expected.events
    assert days.history == expected.history
    versions = zip(expected.versions, days.versions, strict=True)
    assert not [(name, one["version"]) for one, other in versions for name in one if one[name] != other[name]]
    others = [(one, other) for one, other in pairs if not is_same(one, other)]
    assert not others, f"{len(others)} of {len(pairs)}, the first is {others[0]}"
    print(
        f"{len(days.versions)} versions, {len(days.decisions)} decisions and {len(days.events)} events are "
        f"the same; {expected.seconds:.0f} s and {days.seconds:.0f} s"
    )


def is_same(one: Answer, other: Answer) -> bool:
    """Tell whether two answers have the same model, of the same digest, the same arm and the same probability."""
    near = max(abs(one.late_probability - other.late_probability), abs(one.intercept - other.intercept)) <= EXACT
    return near and (one.model, one.arm) == (other.model, other.arm)

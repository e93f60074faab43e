"""Every stage as containers, on a real engine: the contract, releases, kills, and nothing left behind."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest

import shared.demo.more_days
import shared.demo.play
import shared.stack.cleanup
import shared.stack.stage
from shared import base
from shared.base import ROOT, StageError, levels
from shared.demo.more_days import play_more
from shared.stack.cleanup import clean
from shared.stack.docker import IMAGE_LABEL, LABEL, ContainerStage, connect
from shared.stack.engines import open_stage
from shared.stack.stage import running
from shared.world.bad_models import deliver_candidate
from shared.world.dataset import load_year
from shared.world.incidents import publish
from shared.world.period import Period

from .conftest import answers, elsewhere, version_at, wait_for
from .test_contract import (  # noqa: F401 - the contract, held against containers too
    FLIGHT,
    SUMMARIES,
    endpoint,
    post,
    test_a_bad_request_is_told_which_field,
    test_answers_come_in_the_order_of_the_request,
    test_the_application_is_measured,
    test_the_application_names_its_model,
    test_weather_may_be_left_out,
    test_what_is_unusual_is_still_answered,
)

pytestmark = pytest.mark.slow

BASE = os.environ.get("BASE_IMAGE", "python:3.11-slim")
CONTAINERS = [number for number, name in levels().items() if (ROOT / name / "compose.yaml").exists()]
TRAINING_DAY = date(2013, 7, 1)  # the day after level 3's first one: its scheduled training gives a better model


def engine() -> Any:
    """Return a client of the engine, or skip."""
    try:
        return connect()
    except StageError as error:
        pytest.skip(str(error))


# The first level is always tried; the others take minutes more each.
@pytest.fixture(
    scope="module",
    params=[pytest.param(n, marks=[pytest.mark.full] if n > min(CONTAINERS) else []) for n in CONTAINERS],
)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerStage]:
    """Bring a level up as containers and play a day through it; in the end, look for what it left behind."""
    client = engine()
    with elsewhere(tmp_path_factory.mktemp("stages")) as patch:
        patch.setenv("ENGINE", "docker")
        before = os.umask(0o077)  # of careful people
        stage = open_stage(request.param)
        assert isinstance(stage, ContainerStage)
        with running(stage):
            shared.demo.play.play(stage, Period.of(str(stage.description["play"]["from"]), 1), time.monotonic())
            SUMMARIES[stage.number] = json.loads((stage.workspace / "summary.json").read_text())
            yield stage
        ours = {"label": f"{LABEL}={stage.workspace}"}
        assert not client.containers.list(all=True, filters=ours)
        assert not client.networks.list(filters=ours)
        for volume in client.volumes.list(filters=ours):
            volume.remove()
        os.umask(before)


@pytest.fixture
def containers(stage: ContainerStage) -> dict[str, Any]:
    """Return the running containers by the name of their service."""
    ours = engine().containers.list(filters={"label": f"{LABEL}={stage.workspace}"})
    return {container.labels["com.docker.compose.service"]: container for container in ours}


def only(stage: ContainerStage, *numbers: int) -> None:
    if stage.number not in numbers:
        pytest.skip("a lesson of another level")


def inside(stage: ContainerStage, command: str) -> str:
    """Run a shell command in the worker and return what it prints."""
    return stage.compose("exec", "-T", "worker", "sh", "-c", command)


def git(repository: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(repository), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


# --- every level -------------------------------------------------------------------------------------------------


def test_containers_may_do_no_more_than_they_must(containers: dict[str, Any]) -> None:
    for name, container in containers.items():
        host = container.attrs["HostConfig"]
        assert container.attrs["Config"]["User"] == "app", name
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert host["Memory"] > 0, name
        bound = [binding for ports in (host["PortBindings"] or {}).values() for binding in ports]
        assert {binding["HostIp"] for binding in bound} <= {"127.0.0.1"}, name


def test_images_say_what_they_are_and_hold_no_tools(stage: ContainerStage, containers: dict[str, Any]) -> None:
    for name, container in containers.items():
        labels = container.image.labels
        assert labels["org.opencontainers.image.revision"] == stage.environment["REVISION"]
        assert labels[IMAGE_LABEL] == stage.package
        # What builds Bentos needs uv; what serves does not.
        tools = "gcc make git uv" if name == "app" else "gcc make git"
        tools_found = container.exec_run(["sh", "-c", f"for tool in {tools}; do command -v $tool; done"])
        assert tools_found.output == b"", f"{name} holds {tools_found.output.decode()}"


def test_every_container_gets_healthy(containers: dict[str, Any]) -> None:
    def healthy(container: Any) -> bool:
        container.reload()
        return container.attrs["State"].get("Health", {"Status": "healthy"})["Status"] == "healthy"

    for name, container in containers.items():
        wait_for(f"the health of {name}", partial(healthy, container))


# --- releases ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a repository of our own with what was committed here last."""
    path = tmp_path_factory.mktemp("repository") / "clone"
    git(ROOT, "clone", "--quiet", "--shared", str(ROOT), str(path))
    return path


def deploy(stage: ContainerStage, clone: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", stage.package, "deploy"],
        cwd=clone,
        env=os.environ | stage.environment | {"PYTHONPATH": str(clone)},
        capture_output=True,
        text=True,
        check=False,
    )


def commit_change(clone: Path, file: str, more: str = "", was: str = "", then: str = "") -> str:
    """Add to a file, or replace something in it, and commit."""
    path = clone / file
    text = path.read_text()
    assert was in text
    path.write_text((text.replace(was, then) if was else text) + more)
    git(clone, "commit", "--quiet", "--all", "--message", "change")
    return git(clone, "rev-parse", "--short=12", "HEAD")


def served(stage: ContainerStage) -> dict[str, Any]:
    """Return what the service says about itself, but for the number of its process.

    A container has numbers of its own, so that a new process may have the number of the old one or another.
    """
    return {name: value for name, value in version_at(stage).items() if name != "process"}


def test_an_application_is_released_and_a_bad_one_goes_back_by_itself(stage: ContainerStage, clone: Path) -> None:
    only(stage, 1, 3)
    before = served(stage)
    good = commit_change(clone, f"{stage.package}/serving/app.py", "\n# released\n")
    assert deploy(stage, clone).stdout.strip() == f"the application is now {good}"
    assert served(stage) == before | {"application": good}

    wrong = commit_change(clone, f"{stage.package}/serving/app.py", "app.router.routes.clear()\n")
    assert f"{wrong} fails its tests inside the image, {good} stays in service" in deploy(stage, clone).stderr
    assert version_at(stage)["application"] == good

    git(clone, "revert", "--no-edit", "HEAD")
    silent = commit_change(clone, f"{stage.package}/Dockerfile", was="PORT=8000", then="PORT=8001")
    assert f"{silent} did not come up: back to {good}" in deploy(stage, clone).stderr
    back = wait_for("the application's return", lambda: version_at(stage).get("model") and served(stage))
    assert back == before | {"application": good}


def test_a_release_brings_the_pipeline_with_it(stage: ContainerStage, clone: Path) -> None:
    only(stage, 4)
    before = served(stage)
    released = commit_change(clone, f"{stage.package}/training/pipeline.py", "\n# released\n")
    assert deploy(stage, clone).stdout.strip() == f"the application is now {released}"
    wait_for("the models' return", lambda: served(stage) == before | {"application": released})
    ours = engine().containers.list(filters={"label": f"{LABEL}={stage.workspace}"})
    service, revision = "com.docker.compose.service", "org.opencontainers.image.revision"
    new = {container.labels[service] for container in ours if container.labels[revision] == released}
    assert new == {"app", "staging", "worker", "pipeline"}


def test_a_person_releases_a_model_and_the_one_before_again(stage: ContainerStage) -> None:
    only(stage, 2)
    assert version_at(stage)["model"] == "flight-delays/1"
    stage.run("python -m ${LEVEL} train")
    for released in ("2", "1"):
        stage.run(f"python -m ${{LEVEL}} release {released}", "host")
        assert version_at(stage)["model"] == f"flight-delays/{released}"
        assert post(f"http://127.0.0.1:{stage.environment['PORT']}", FLIGHT).is_success


def test_another_terminal_plays_more_days_and_leaves_the_stage_running(
    stage: ContainerStage, containers: dict[str, Any]
) -> None:
    only(stage, 1)
    play_more(open_stage(stage.number), 1)
    for container in containers.values():
        container.reload()
        assert container.status == "running"
    assert version_at(stage)["model"]


def test_a_model_goes_into_running_containers_and_back(stage: ContainerStage, containers: dict[str, Any]) -> None:
    only(stage, 3)
    publish(load_year(base.WORKSPACES / "year"), TRAINING_DAY, stage.workspace / "drop")
    assert "delivered" in [event.kind for event in stage.run_day(TRAINING_DAY)]
    before = version_at(stage)
    assert before["model"].startswith("flight-delays/1@")
    assert before["challenger"].startswith("flight-delays/2@")
    promote = "from datetime import date; promotion.promote('a test', date(2013, 7, 1))"
    inside(stage, f'python -c "from $LEVEL.delivery import promotion; {promote}" 2>&1')
    assert version_at(stage)["model"] == before["challenger"]
    stage.run("python -m ${LEVEL} rollback")
    assert version_at(stage)["model"] == before["model"]
    started = containers["app"].attrs["State"]["StartedAt"]
    containers["app"].reload()
    assert containers["app"].attrs["State"]["StartedAt"] == started


def test_a_candidate_with_a_defect_is_refused(stage: ContainerStage) -> None:
    only(stage, 3)
    before = version_at(stage)
    assert "contract_agrees" in deliver_candidate(stage, "renamed").text
    assert version_at(stage) == before


# --- kills -------------------------------------------------------------------------------------------------------

HEALTH = {
    "app": "http://127.0.0.1:${PORT}/healthz",
    "staging": "http://127.0.0.1:${STAGING_PORT}/healthz",
    "evidently": "http://127.0.0.1:${EVIDENTLY_PORT}",
    "mlflow": "${MLFLOW_TRACKING_URI}/health",
    "prefect": "${PREFECT_API_URL}/health",
}


def remembered(stage: ContainerStage) -> dict[str, Any]:
    """Return what must survive: models, runs of the pipeline, snapshots, and answers that were given."""
    registry = stage.fill("${MLFLOW_TRACKING_URI}/api/2.0/mlflow/registered-models/get")
    runs = httpx.post(stage.fill("${PREFECT_API_URL}/flow_runs/count"), json={}, timeout=30)
    log = "SELECT count(*), sum(late_probability) FROM predictions"
    count = f"import sqlite3; print(*sqlite3.connect('/stage/predictions.db').execute('{log}'))"
    kept = inside(stage, f'cd /stage && find remote data -type f | sort | xargs sha256sum && python -c "{count}"')
    models = httpx.get(registry, params={"name": "flight-delays"}, timeout=30).json()
    return {"models": models, "pipeline runs": runs.json(), "kept": kept, "service": served(stage)}


def test_each_killed_container_comes_back_and_nothing_is_lost(
    stage: ContainerStage, containers: dict[str, Any]
) -> None:
    only(stage, 3, 4)
    before = remembered(stage)
    assert before["pipeline runs"] > 0
    for service, container in containers.items():
        # `docker kill` would tell the engine that it is meant to stay down.
        os.kill(container.attrs["State"]["Pid"], signal.SIGKILL)
        starts = container.attrs["RestartCount"] + 1
        wait_for(f"the return of {service}", partial(is_back, container, starts))
        if service in HEALTH:
            wait_for(f"an answer of {service}", partial(answers, stage.fill(HEALTH[service])))
    wait_for("the models' return", lambda: served(stage) == before["service"])
    assert remembered(stage) == before
    if stage.number == 3:
        stage.run("python -m ${LEVEL} train")
        assert version_at(stage)["challenger"] != before["service"]["challenger"]


def is_back(container: Any, starts: int) -> bool:
    """Tell whether the engine started a container again."""
    container.reload()
    return container.status == "running" and container.attrs["RestartCount"] == starts


# --- the engine --------------------------------------------------------------------------------------------------


def test_clean_says_what_it_removes_and_removes_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = engine()
    monkeypatch.setattr(base, "WORKSPACES", tmp_path)
    ours, others = {LABEL: str(tmp_path / "level1")}, {LABEL: str(tmp_path.parent / "another" / "level1")}
    dockerfile = io.BytesIO(f"FROM {BASE}\nLABEL {IMAGE_LABEL}=nothing".encode())
    client.images.build(fileobj=dockerfile, tag="ours:test")
    client.images.get(BASE).tag("others", "test")
    made = []
    try:
        for name, labels in (("ours-test", ours), ("others-test", others)):
            made.append(client.volumes.create(name, labels=labels))
            made.append(client.networks.create(name, labels=labels))
            made.append(client.containers.create(BASE, ["true"], name=name, labels=labels))
        clean()
        output = capsys.readouterr().out
        for kind in ("container", "network", "volume"):
            assert f"removing {kind} ours-test\n" in output
        assert "removing image ours:test\n" in output
        assert "others" not in output
        kept = [*client.containers.list(all=True), *client.networks.list(), *client.volumes.list()]
        assert {container.name for container in kept} >= {"others-test"}
        assert "ours-test" not in {container.name for container in kept}
        tags = [tag for image in client.images.list() for tag in image.tags]
        assert "others:test" in tags
        assert "ours:test" not in tags
    finally:
        client.images.remove("others:test")
        for thing in reversed(made):
            with suppress(docker.errors.NotFound):
                thing.remove()

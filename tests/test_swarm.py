"""Level 3 as three replicas in a swarm: no request fails, whatever is released or killed, and nothing is left."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

import shared.demo.play
from benchmarks import swarms
from benchmarks.clients import CLIENTS, Traffic, asking, missing
from benchmarks.swarms import PROMOTE, containers, in_worker, is_replaced
from shared import base
from shared.base import StageError
from shared.stack.cleanup import clean_swarm
from shared.stack.docker import LABEL
from shared.stack.engines import open_stage
from shared.stack.stage import running
from shared.stack.swarm import NAMESPACE, SERVICE, SwarmStage
from shared.world.dataset import load_year
from shared.world.incidents import publish
from shared.world.period import Period

from .conftest import answers, elsewhere, free_port, version_at, wait_for
from .test_containers import BASE, TRAINING_DAY, clone, commit_change, deploy, engine, git  # noqa: F401
from .test_contract import FLIGHT

pytestmark = pytest.mark.slow

REPLICAS = 3
REQUESTS = 2_000  # at least, while something changes
LEVEL = 3


@contextmanager
def alone_in_engine() -> Iterator[Any]:
    """Return a client of an engine in no swarm, or skip."""
    with ExitStack() as stack:
        try:
            client = stack.enter_context(swarms.alone_in_engine())
        except StageError as error:
            pytest.skip(str(error))
        yield client


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Yield where there is a registry of images, on loopback; nothing, where none is installed."""
    if not shutil.which("docker-registry"):
        yield ""
        return
    address, config = f"127.0.0.1:{free_port()}", folder / "registry.yaml"
    storage = f"{{filesystem: {{rootdirectory: {folder / 'images'}}}}}"
    config.write_text(f"version: 0.1\nstorage: {storage}\nhttp: {{addr: '{address}'}}\n")
    with subprocess.Popen(["docker-registry", "serve", str(config)]) as process:
        try:
            wait_for("a registry of images", partial(answers, f"http://{address}/v2/"))
            yield address
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwarmStage]:
    """Bring a level up in a swarm, play a day through it, and let a challenger have a share of the traffic."""
    folder = tmp_path_factory.mktemp("stages")
    with alone_in_engine() as client, registry(folder) as images_at, elsewhere(folder) as patch:
        patch.setenv("ENGINE", "swarm")
        patch.setenv("REGISTRY", images_at)
        patch.setenv("REPLICAS", str(REPLICAS))
        stage = open_stage(LEVEL)
        assert isinstance(stage, SwarmStage)
        try:
            yield from played(stage)
        finally:
            stage.remove(volumes=True)
            clean_swarm(client)
        ours = {"label": f"{LABEL}={stage.workspace}"}
        assert not client.containers.list(all=True, filters=ours)
        assert not client.networks.list(filters=ours)
        assert not client.volumes.list(filters=ours)
        assert client.info()["Swarm"]["LocalNodeState"] == "inactive"
        assert not client.networks.list(names=["docker_gwbridge"])


def played(stage: SwarmStage) -> Iterator[SwarmStage]:
    """Keep a stage up on which a day was played, with a challenger."""
    with running(stage):
        shared.demo.play.play(stage, Period.of(str(stage.description["play"]["from"]), 1), time.monotonic())
        publish(load_year(base.WORKSPACES / "year"), TRAINING_DAY, stage.workspace / "drop")
        assert "delivered" in [event.kind for event in stage.run_day(TRAINING_DAY)]
        yield stage


ASK_EACH = f"""
import json, socket, urllib.request
flights = [{FLIGHT!r} | {{"flight_id": f"each-{{n}}", "flight": n}} for n in range(1, 201)]
body = json.dumps({{"flights": flights}}).encode()
hosts = sorted({{where[0] for *_, where in socket.getaddrinfo("app", 8000)}})
told = []
for host in hosts:
    request = urllib.request.Request(f"http://{{host}}:8000/predict", body, {{"content-type": "application/json"}})
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))
    told.append(json.load(direct.open(request))["predictions"])
print(json.dumps(told))
"""


def test_replicas_may_do_no_more_than_they_must_and_only_loopback_leads_to_them(stage: SwarmStage) -> None:
    assert len(containers(stage, "app")) == REPLICAS
    everything = engine().containers.list(filters={"label": f"{LABEL}={stage.workspace}"})
    assert {container.labels.get(SERVICE, "").partition("_app")[0] for container in everything}
    for container in everything:
        host = container.attrs["HostConfig"]
        assert container.attrs["Config"]["User"] not in ("", "root"), container.name
        assert host["ReadonlyRootfs"], container.name
        assert host["CapDrop"] in (["ALL"], ["CAP_ALL"]), container.name
        assert host["Memory"] > 0, container.name
        bound = [binding for ports in (host["PortBindings"] or {}).values() for binding in ports]
        assert {binding["HostIp"] for binding in bound} <= {"127.0.0.1"}, container.name
    services = engine().services.list(filters={"label": f"{NAMESPACE}={stage.stack}"})
    assert not [service for service in services if service.attrs["Endpoint"].get("Ports")]


def test_replicas_run_images_of_the_registry_that_is_named(stage: SwarmStage) -> None:
    if not (named := stage.environment["REGISTRY"]):
        pytest.skip("there is no registry of images: Debian's docker-registry is one")
    revision = stage.environment["REVISION"]
    assert images(stage) == {f"{named}{stage.package}/app:{revision}"}
    assert revision in httpx.get(f"http://{named}v2/{stage.package}/app/tags/list").json()["tags"]


def test_all_replicas_give_a_flight_the_same_arm(stage: SwarmStage) -> None:
    first, *others = json.loads(in_worker(stage, ASK_EACH))
    assert len(others) == REPLICAS - 1
    assert {prediction["arm"] for prediction in first} == {"champion", "challenger"}
    assert all(other == first for other in others)


@contextmanager
def traffic(stage: SwarmStage, name: str, in_flight: int = 0) -> Iterator[Traffic]:
    """Let clients ask while the block runs; in the end, each was answered, and each answer is in the log.

    Args:
        stage: it answers.
        name: of the flights.
        in_flight: how many requests may fail, since who has them is killed.
    """
    with asking(stage, name, FLIGHT, REQUESTS) as asked:
        yield asked
    print(f"{name}: {asked.summary()}")
    assert len(asked.failed) <= in_flight, (
        f"{len(asked.failed)} of {len(asked.failed) + len(asked.answered)}: {asked.failed[:3]}"
    )
    assert len(asked.answered) >= REQUESTS
    assert not missing(stage, asked)


def test_no_request_fails_but_those_of_a_replica_that_is_killed(stage: SwarmStage) -> None:
    with traffic(stage, "killed", CLIENTS):
        victim = containers(stage, "app")[0]
        os.kill(victim.attrs["State"]["Pid"], signal.SIGKILL)
        wait_for("another replica", partial(is_replaced, stage, victim.id, REPLICAS))


def test_no_request_fails_while_a_model_is_released_and_rolled_back(stage: SwarmStage) -> None:
    before = version_at(stage)
    with traffic(stage, "released") as asked:
        stage.run(f'python -c "{PROMOTE}"')
        assert version_at(stage)["model"] == before["challenger"]
        stage.run("python -m ${LEVEL} rollback")
        assert version_at(stage)["model"] == before["model"]
    assert asked.models == {before["model"], before["challenger"]}


def test_no_request_fails_while_the_application_is_released(stage: SwarmStage, clone: Path) -> None:  # noqa: F811
    good = commit_change(clone, f"{stage.package}/serving/app.py", "\n# released\n")
    with traffic(stage, "deployed"):
        assert deploy(stage, clone).stdout.strip() == f"the application is now {good}"
    assert images(stage) == {f"{stage.environment['REGISTRY']}{stage.package}/app:{good}"}


def images(stage: SwarmStage) -> set[str]:
    return {container.attrs["Config"]["Image"] for container in containers(stage, "app")}


@pytest.mark.full
def test_one_that_does_not_come_up_goes_back_by_itself_and_no_request_fails(
    stage: SwarmStage,
    clone: Path,  # noqa: F811
) -> None:
    before = images(stage)
    silent = commit_change(clone, f"{stage.package}/Dockerfile", was="PORT=8000", then="PORT=8001")
    with traffic(stage, "silent"):
        assert f"{silent} did not come up: the swarm went back to" in deploy(stage, clone).stderr
    assert images(stage) == before


def test_what_is_not_ours_is_left_alone(stage: SwarmStage) -> None:
    client = engine()
    theirs = client.services.create(BASE, ["sleep", "infinity"], name=f"theirs-{os.getpid()}")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(base, "WORKSPACES", Path("/nowhere"))  # of another checkout
            clean_swarm(client)
        assert client.services.list(filters={"label": f"{NAMESPACE}={stage.stack}"})
        stage.remove()
        clean_swarm(client)
        assert [service.id for service in client.services.list()] == [theirs.id]
        assert client.info()["Swarm"]["LocalNodeState"] == "active"
    finally:
        theirs.remove()

"""Level 3 as replicas on two nodes of a swarm, of which one is killed."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import docker
import psutil
import pytest

import shared.demo.play
from shared.stack.cleanup import BRIDGE
from shared.stack.engines import open_stage
from shared.stack.stage import running
from shared.stack.swarm import SERVICE, SwarmStage
from shared.world.period import Period

from .conftest import elsewhere, wait_for
from .test_containers import engine
from .test_swarm import LEVEL, alone_in_engine, traffic

pytestmark = pytest.mark.slow

REPLICAS = 4


@pytest.fixture
def second() -> Iterator[Any]:
    """Return a client of a second engine, in a swarm with the first one."""
    names = ("ENGINE2", "NODE1", "NODE2")
    if not all(os.environ.get(name) for name in names):
        pytest.skip(f"there is no second engine: {', '.join(names)} name one, and the addresses of both")
    other = docker.DockerClient(os.environ["ENGINE2"])
    node1, node2 = (os.environ[name] for name in ("NODE1", "NODE2"))
    with alone_in_engine() as first:
        first.swarm.init(advertise_addr=node1, listen_addr=f"{node1}:2377")
        try:
            first.swarm.reload()
            token = first.swarm.attrs["JoinTokens"]["Worker"]
            other.swarm.join([f"{node1}:2377"], token, advertise_addr=node2, listen_addr=f"{node2}:2377")
            yield other
        finally:
            for client in (other, first):
                with suppress(docker.errors.DockerException, OSError):  # it may have been killed
                    client.swarm.leave(force=True)
            for network in first.networks.list(names=[BRIDGE]):
                network.remove()


@pytest.fixture
def stage(second: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwarmStage]:
    """Bring a level up on both nodes, and play a day through it."""
    with elsewhere(tmp_path_factory.mktemp("stages")) as patch:
        patch.setenv("ENGINE", "swarm")
        patch.setenv("REPLICAS", str(REPLICAS))
        stage = open_stage(LEVEL)
        assert isinstance(stage, SwarmStage)
        if not stage._is_carried():
            stage.build()
        image = stage.fill("${LEVEL}/app:${REVISION}")
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
            subprocess.run(["docker", "-H", os.environ["ENGINE2"], "load"], stdin=saved.stdout, check=True)
        try:
            with running(stage):
                period = Period.of(str(stage.description["play"]["from"]), 1)
                shared.demo.play.play(stage, period, time.monotonic())
                yield stage
        finally:
            stage.remove(volumes=True)


def replicas(client: Any, stage: SwarmStage) -> list[Any]:
    return client.containers.list(filters={"label": f"{SERVICE}={stage.stack}_app"})


def test_no_request_fails_while_a_node_is_killed(stage: SwarmStage, second: Any) -> None:
    here, there = replicas(engine(), stage), replicas(second, stage)
    assert len(here) == len(there) == REPLICAS // 2
    with traffic(stage, "node"):
        kill([container.attrs["State"]["Pid"] for container in there], second.info()["DockerRootDir"])
        wait_for("all replicas on the node that is left", partial(is_whole, stage))


def is_whole(stage: SwarmStage) -> bool:
    """Tell whether this node alone has all replicas."""
    return len(replicas(engine(), stage)) == REPLICAS


def kill(containers: list[int], folder: str) -> None:
    """Kill an engine with all that runs under it, as if its machine had lost its power.

    Args:
        containers: the first process of each.
        folder: where the engine keeps what is its own; a machine without power has mounted nothing either.
    """
    path = os.environ["ENGINE2"].removeprefix("unix://")
    daemon = next(
        process
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] == "dockerd" and path in " ".join(process.info["cmdline"] or [])
    )
    shims = [parent for pid in containers if (parent := psutil.Process(pid).parent())]
    for process in [daemon, *daemon.children(recursive=True), *shims, *map(psutil.Process, containers)]:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in sorted((mount for mount in mounts if mount.startswith(folder)), reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=True)

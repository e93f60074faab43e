"""Stages in a swarm of one engine or two, for tests and benchmarks: bring up, look at, kill, and leave nothing."""

import fcntl
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import docker
import psutil

from shared import base
from shared.base import StageError
from shared.demo.play import play
from shared.stack.cleanup import BRIDGE
from shared.stack.docker import connect
from shared.stack.stage import running
from shared.stack.swarm import SERVICE, SwarmStage, wait_until
from shared.world.period import Period

OF_ENGINE = "--data-root", "--exec-root"  # options of an engine, for the folders that are its own
SECOND = "ENGINE2", "NODE1", "NODE2"  # the address of a second engine, and those of both nodes

PROMOTE = """
from datetime import date
from ${LEVEL}.delivery import promotion
promotion.promote('a test', date(2013, 7, 1))
"""


@contextmanager
def alone_in_engine(empty: bool = False) -> Iterator[Any]:
    """Yield a client of an engine in no swarm, once nobody else here has one: an engine can be in one at a time.

    Args:
        empty: whether a swarm will do as well in which nothing runs.

    Raises:
        StageError: there is no engine, or it is in a swarm.
    """
    client = connect()
    with (Path(gettempdir()) / "swarm-of-tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        swarm = client.info()["Swarm"]
        is_empty = swarm["ControlAvailable"] and not client.services.list()
        if swarm["LocalNodeState"] != "inactive" and not (empty and is_empty):
            raise StageError("this engine is in a swarm already, which is left alone")
        yield client


@contextmanager
def two_nodes(first: Any) -> Iterator[Any]:
    """Yield a client of a second engine, in a swarm with the first one.

    Raises:
        StageError: the environment names none.
    """
    if not all(os.environ.get(name) for name in SECOND):
        raise StageError(f"there is no second engine: {', '.join(SECOND)} name one, and the addresses of both")
    engine2, node1, node2 = (os.environ[name] for name in SECOND)
    second = docker.DockerClient(engine2)
    with suppress(docker.errors.APIError):  # of a swarm that it was killed in
        second.swarm.leave(force=True)
    first.swarm.init(advertise_addr=node1, listen_addr=f"{node1}:2377")
    try:
        first.swarm.reload()
        token = first.swarm.attrs["JoinTokens"]["Worker"]
        second.swarm.join([f"{node1}:2377"], token, advertise_addr=node2, listen_addr=f"{node2}:2377")
        yield second
    finally:
        for client in (second, first):
            with suppress(docker.errors.DockerException, OSError):  # it may have been killed
                client.swarm.leave(force=True)
        for network in first.networks.list(names=[BRIDGE]):
            network.remove()


@contextmanager
def brought_up(level: int, replicas: int, second: bool = False) -> Iterator[SwarmStage]:
    """Bring a level up in the swarm, play the first day of its own play, and leave nothing.

    Args:
        level: its number.
        replicas: of the application.
        second: whether a second engine is to have the images too.
    """
    os.environ |= {"ENGINE": "swarm", "REPLICAS": str(replicas)}
    os.umask(0o022)  # the user in the containers must be able to read what is published here
    stage = SwarmStage(level, base.WORKSPACES / f"swarm{level}")
    if second:
        give_images(stage)
    try:
        with running(stage):
            play(stage, Period.of(str(stage.description["play"]["from"]), 1), time.monotonic())
            yield stage
    finally:
        stage.remove(volumes=True)


def give_images(stage: SwarmStage) -> None:
    """Have the images of a stage, and give the second engine those of what runs on any node."""
    if not stage._is_carried():
        stage.build()
    for image in stage._anywhere():
        give(image)


def give(image: str) -> None:
    """Give the second engine an image of the first one."""
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
        load = ["docker", "-H", os.environ["ENGINE2"], "load", "--quiet"]
        subprocess.run(load, stdin=saved.stdout, check=True, stdout=subprocess.DEVNULL)


def containers(stage: SwarmStage, service: str, client: Any = None) -> list[Any]:
    """Return the running containers of a service, on this node or on that of another client."""
    name = f"{SERVICE}={stage.stack}_{service}"
    return list((client or connect()).containers.list(filters={"label": name}, ignore_removed=True))


def are_healthy(stage: SwarmStage, service: str, count: int) -> bool:
    """Tell whether a service has so many containers here, and all are healthy."""
    health = [container.attrs["State"]["Health"]["Status"] for container in containers(stage, service)]
    return health == ["healthy"] * count


def is_replaced(stage: SwarmStage, victim: str, count: int) -> bool:
    """Tell whether there are so many replicas, all healthy, and the killed one is none of them."""
    alive = [container.id for container in containers(stage, "app")]
    return victim not in alive and are_healthy(stage, "app", count)


def wait_for(what: str, condition: Callable[[], bool]) -> None:
    """Wait until a condition holds.

    Raises:
        StageError: it did not in time.
    """
    if not wait_until(condition):
        raise StageError(f"{what} did not happen in time")


def in_worker(stage: SwarmStage, code: str, *arguments: str) -> str:
    """Run Python in the worker; return the last line that it prints.

    Raises:
        StageError: it failed.
    """
    printed = stage.engine(stage.environment["INSIDE"], "python", "-", *arguments, text=code)
    return printed.splitlines()[-1]


def kill_node(engine: str, pids: list[int]) -> None:
    """Kill an engine with all that runs under it, as if its machine had lost its power.

    Args:
        engine: its address, `unix://...`.
        pids: the first process of each of its containers.
    """
    path = engine.removeprefix("unix://")
    daemon = next(
        process
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] == "dockerd" and path in " ".join(process.info["cmdline"] or [])
    )
    shims = [parent for pid in pids if (parent := psutil.Process(pid).parent())]
    for process in [daemon, *daemon.children(recursive=True), *shims, *map(psutil.Process, pids)]:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    # A machine without power has mounted nothing either.
    folders = [folder for option, folder in pairwise(daemon.info["cmdline"]) if option in OF_ENGINE]
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in sorted((mount for mount in mounts if mount.startswith(tuple(folders))), reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=True)

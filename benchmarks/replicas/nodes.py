"""Replicas on two nodes: what they answer and take, and what clients notice when the second node is killed."""

import os
from collections.abc import Iterator
from functools import partial
from typing import Any

from shared.base import ROOT, git
from shared.stack.docker import connect
from shared.stack.swarm import SwarmStage

from ..clients import Traffic
from ..swarms import are_healthy, containers, give, kill_node, wait_for
from .releases import other_commit, release, serve
from .speed import rates
from .troubles import REPLICAS, endure

Figures = dict[str, Any]
MEASURED = 4  # the level whose rates are
BUILD = "from ${LEVEL}.operations.containers import build; build('COMMIT', 'what serves')"


def measure(stage: SwarmStage, second: Any) -> Iterator[Figures]:
    """Yield the figures of both nodes, and of the end of the second one."""
    wait_for(f"{REPLICAS} replicas with a model", lambda: serve(stage, REPLICAS))
    if stage.number == MEASURED:
        figures = rates(stage, [connect(), second])
        commit = other_commit(stage)
        give_release(stage, commit)
        figures["release_seconds"] = release(stage, commit)
        spread = [len(containers(stage, "app", client)) for client in (connect(), second)]
        yield {"nodes": {"2": figures | {"replicas": spread}}}
    yield endure(stage, "the second of two nodes is killed", partial(kill, second=second))


def give_release(stage: SwarmStage, revision: str) -> None:
    """Give the second node the images of a commit before its release, in place of a registry."""
    commit = git(ROOT, "rev-parse", "--short=12", revision).strip()
    stage.run(f'python -c "{BUILD.replace("COMMIT", commit)}"', where="host")
    for image in stage._anywhere():
        give(f"{image.rpartition(':')[0]}:{commit}")


def kill(stage: SwarmStage, _: Traffic, second: Any) -> None:
    """Kill the second node, and wait until the first has all replicas."""
    pids = [container.attrs["State"]["Pid"] for container in second.containers.list()]
    kill_node(os.environ["ENGINE2"], pids)
    wait_for("all replicas on the node that is left", partial(are_healthy, stage, "app", REPLICAS))

"""Level 3 as replicas on two nodes of a swarm, of which one is killed."""

import os
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from benchmarks import swarms
from benchmarks.clients import CLIENTS
from benchmarks.swarms import are_healthy, brought_up, containers, kill_node
from shared.stack.swarm import SwarmStage

from .conftest import elsewhere, wait_for
from .test_swarm import LEVEL, alone_in_engine, traffic

pytestmark = pytest.mark.slow

REPLICAS = 4


@pytest.fixture
def second() -> Iterator[Any]:
    """Return a client of a second engine, in a swarm with the first one."""
    if not all(os.environ.get(name) for name in swarms.SECOND):
        pytest.skip(f"there is no second engine: {', '.join(swarms.SECOND)} name one, and the addresses of both")
    with alone_in_engine() as first, swarms.two_nodes(first) as other:
        yield other


@pytest.fixture
def stage(second: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwarmStage]:
    """Bring a level up on both nodes, and play a day through it."""
    with elsewhere(tmp_path_factory.mktemp("stages")) as patch:
        patch.setenv("ENGINE", "swarm")
        patch.setenv("REPLICAS", str(REPLICAS))
        with brought_up(LEVEL, REPLICAS, second=True) as stage:
            yield stage


def test_no_request_fails_but_those_of_a_node_that_is_killed(stage: SwarmStage, second: Any) -> None:
    here, there = containers(stage, "app"), containers(stage, "app", second)
    assert len(here) == len(there) == REPLICAS // 2
    with traffic(stage, "node", CLIENTS):
        pids = [container.attrs["State"]["Pid"] for container in there]
        kill_node(os.environ["ENGINE2"], pids)
        wait_for("all replicas on the node that is left", partial(are_healthy, stage, "app", REPLICAS))

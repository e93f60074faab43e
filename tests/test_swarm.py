"""Level 3 as three replicas in a swarm: no request fails, whatever is released or killed, and nothing is left."""

import fcntl
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import httpx
import pytest

import shared.demo.play
from shared import base
from shared.stack.cleanup import clean_swarm
from shared.stack.docker import LABEL
from shared.stack.engines import open_stage
from shared.stack.stage import running
from shared.stack.swarm import NAMESPACE, SERVICE, SwarmStage
from shared.world.dataset import load_year
from shared.world.incidents import publish
from shared.world.period import Period

from .conftest import elsewhere, version_at, wait_for
from .test_containers import BASE, TRAINING_DAY, clone, commit_change, deploy, engine, git  # noqa: F401
from .test_contract import FLIGHT

pytestmark = pytest.mark.slow

REPLICAS, CLIENTS = 3, 8
REQUESTS = 2_000  # at least, while something changes
LEVEL = 3


@contextmanager
def alone_in_engine() -> Iterator[Any]:
    """Return a client of an engine in no swarm, once no other test has one: an engine can be in one at a time."""
    client = engine()
    with (Path(gettempdir()) / "swarm-of-tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if client.info()["Swarm"]["LocalNodeState"] != "inactive":
            pytest.skip("this engine is in a swarm already, which is left alone")
        yield client


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwarmStage]:
    """Bring a level up in a swarm, play a day through it, and let a challenger have a share of the traffic."""
    with alone_in_engine() as client, elsewhere(tmp_path_factory.mktemp("stages")) as patch:
        patch.setenv("ENGINE", "swarm")
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


def containers(stage: SwarmStage, service: str) -> list[Any]:
    """Return the running containers of a service."""
    return engine().containers.list(filters={"label": f"{SERVICE}={stage.stack}_{service}"})


def in_worker(stage: SwarmStage, code: str) -> Any:
    """Run Python in the worker; return what it prints, which is JSON."""
    command = [stage.environment["INSIDE"], "python", "-c", code]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


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


def test_all_replicas_give_a_flight_the_same_arm(stage: SwarmStage) -> None:
    first, *others = in_worker(stage, ASK_EACH)
    assert len(others) == REPLICAS - 1
    assert {prediction["arm"] for prediction in first} == {"champion", "challenger"}
    assert all(other == first for other in others)


class Traffic:
    """What eight clients were told: which flights were answered, and what was not."""

    def __init__(self, stage: SwarmStage, name: str) -> None:
        self.address = f"http://127.0.0.1:{stage.environment['PORT']}/predict"
        self.name = name
        self.answered: list[str] = []
        self.failed: list[str] = []
        self.models: set[str] = set()
        self.over = threading.Event()

    def ask(self, client: int) -> None:
        """Ask about one flight after another until it is over, and there have been enough."""
        with httpx.Client(timeout=30) as http:
            n = 0
            while not self.over.is_set() or len(self.answered) < REQUESTS:
                n, flight = n + 1, f"{self.name}-{client}-{n}"
                try:
                    answer = http.post(self.address, json={"flights": [FLIGHT | {"flight_id": flight}]})
                    answer.raise_for_status()
                except httpx.HTTPError as error:
                    self.failed.append(f"{time.strftime('%X')} {type(error).__name__}: {error}")
                    if len(self.failed) > REQUESTS:
                        return
                else:
                    self.answered.append(flight)
                    self.models.add(answer.json()["predictions"][0]["model"])


@contextmanager
def traffic(stage: SwarmStage, name: str) -> Iterator[Traffic]:
    """Let clients ask while the block runs; in the end, each was answered, and each answer is in the log."""
    asked = Traffic(stage, name)
    clients = [threading.Thread(target=asked.ask, args=[client]) for client in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield asked
    finally:
        asked.over.set()
        for client in clients:
            client.join()
    print(f"{name}: {len(asked.answered)} answered, {len(asked.failed)} failed {asked.failed[:3]}")
    assert not asked.failed, (
        f"{len(asked.failed)} of {len(asked.failed) + len(asked.answered)}: {asked.failed[:3]}"
    )
    assert len(asked.answered) >= REQUESTS
    assert set(asked.answered) <= set(in_worker(stage, LOGGED.replace("NAME", name)))


LOGGED = """
import json, os
from importlib import import_module
package = os.environ["LEVEL"]
log, paths = import_module(f"{package}.serving.prediction_log"), import_module(f"{package}.config.paths")
with log.open_log(paths.PREDICTION_LOG) as connection:
    rows = connection.rows("SELECT flight_id FROM predictions WHERE flight_id LIKE ?", ["NAME-%"])
print(json.dumps([row["flight_id"] for row in rows]))
"""


def test_no_request_fails_while_a_replica_is_killed(stage: SwarmStage) -> None:
    with traffic(stage, "killed"):
        victim = containers(stage, "app")[0]
        os.kill(victim.attrs["State"]["Pid"], signal.SIGKILL)
        wait_for("another replica", partial(is_replaced, stage, victim.id))


def is_replaced(stage: SwarmStage, victim: str) -> bool:
    """Tell whether there are as many replicas as before, all healthy, and the killed one is none of them."""
    alive = containers(stage, "app")
    health = [container.attrs["State"]["Health"]["Status"] for container in alive]
    return victim not in [container.id for container in alive] and health == ["healthy"] * REPLICAS


PROMOTE = """
from datetime import date
from ${LEVEL}.delivery import promotion
promotion.promote('a test', date(2013, 7, 1))
"""


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
    assert images(stage) == {f"{stage.package}/app:{good}"}


def images(stage: SwarmStage) -> set[str]:
    return {container.attrs["Config"]["Image"] for container in containers(stage, "app")}


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

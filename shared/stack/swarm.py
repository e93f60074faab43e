"""A stage as a stack of Docker Swarm: the containers of compose.yaml, with replicas behind a balancer.

What is added is the level's compose.scale.yaml. `docker stack deploy` merges the two files itself, but some words
of compose.yaml are for one machine only: `translate` says the same in those of a swarm.
"""

import os
import shlex
import shutil
import stat
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

import yaml

from ..base import ROOT, StageError
from .carry import BASE_IMAGE
from .docker import LABEL, ContainerStage, connect

SECONDS_TO_CHANGE = 60.0
OVERLAY, BALANCER = "compose.scale.yaml", "compose.balancer.yaml"
SERVERS = "balancer", "postgres", "s3"
LOOPBACK = "127.0.0.1"
NAMESPACE = "com.docker.stack.namespace"  # the label of all that belongs to a stack
SERVICE = "com.docker.swarm.service.name"
# What a swarm has no word for, has another one for, or does anyhow.
ONE_MACHINE = "build", "mem_limit", "ports", "restart", "security_opt", "tmpfs"


class SwarmStage(ContainerStage):
    """A level whose processes are services of a swarm."""

    def _environment(self) -> dict[str, str]:
        overlay = ROOT / self.package / OVERLAY
        if not overlay.exists():
            raise StageError(f"level {self.number} has no {OVERLAY}: leave ENGINE=swarm out")
        replicas = os.environ.get("REPLICAS") or "2"
        if not replicas.isdecimal() or not 0 < int(replicas) <= 10:
            raise StageError(f"REPLICAS={replicas}: say how many there are to be, from 1 to 10")
        environment, registry = super()._environment(), os.environ.get("REGISTRY", "")
        images = {_variable(server): f"{self.package}/{server}" for server in SERVERS}
        given = {name: os.environ[name] for name in images if os.environ.get(name)}
        return (
            environment
            | images
            | given
            | {
                "COMPOSE_FILE": f"{environment['COMPOSE_FILE']}{os.pathsep}{overlay}",
                "ENGINE": "swarm",
                "INSIDE": str(self.workspace / "inside"),
                "REGISTRY": registry and f"{registry.rstrip('/')}/",  # of images, for the other nodes
                "REPLICAS": replicas,
            }
        )

    @property
    def stack(self) -> str:
        """Return the name of the stack."""
        return self.environment["COMPOSE_PROJECT_NAME"]

    def prepare(self, keep: bool = False) -> None:
        """Make an empty workspace in a swarm, with a command that reaches into the worker wherever that is."""
        join(self.workspace)
        super().prepare(keep)
        make_secrets(self.workspace / "secrets")
        worker = f"docker ps --quiet --filter label={SERVICE}={self.stack}_worker"
        inside = Path(self.environment["INSIDE"])
        inside.write_text(f'#!/bin/sh\nexec docker exec -i "$({worker} | head -n 1)" "$@"\n')
        inside.chmod(inside.stat().st_mode | stat.S_IXUSR)

    def build(self) -> None:
        """Build the images of the level, and those of the servers for which nobody named another."""
        super().build()
        base = os.environ.get("BASE_IMAGE") or BASE_IMAGE
        arguments = ["--build-arg", f"BASE={base}", "--build-arg", f"LEVEL={self.package}"]
        recipe = ["--file", str(ROOT / self.package / "Dockerfile.scale")]
        for server in SERVERS:
            if not os.environ.get(_variable(server)):
                image = ["--tag", self.environment[_variable(server)], "--target", server]
                self.engine("docker", "build", *arguments, *recipe, *image, str(ROOT))

    def bring_up(self) -> None:
        """Deploy the stack, wait until a day can run in it, and open the way in."""
        if self.environment["REGISTRY"]:
            for image in self._anywhere():
                self.engine("docker", "push", image)
        elif len(connect().nodes.list()) > 1:
            print("without REGISTRY=host:port, nodes run what images they have: give each", *self._anywhere())
        files = (ROOT / self.package / name for name in ("compose.yaml", OVERLAY))
        compose, overlay = (yaml.safe_load(file.read_text()) for file in files)
        stack = self.workspace / "stack.yaml"
        stack.write_text(yaml.safe_dump(translate(compose, overlay), sort_keys=False))
        merged = ["-c", str(stack), "-c", str(ROOT / self.package / OVERLAY)]
        self.engine("docker", "stack", "deploy", "--resolve-image", "never", *merged, self.stack)
        if not wait_until(self._answers):
            raise StageError(f"it did not start: `docker stack ps {self.stack} --no-trunc` says why")
        self._balancer("up", "--detach")

    def _anywhere(self) -> list[str]:
        """Return the images that run on any node."""
        services = yaml.safe_load((ROOT / self.package / OVERLAY).read_text())["services"].values()
        images = {service["image"] for service in services if service.get("image", "").startswith("${REGISTRY}")}
        return sorted(map(self.fill, images))

    def _balancer(self, *arguments: str) -> None:
        """Run a command of compose for the balancer, which is a container of this machine."""
        self.compose("-f", str(ROOT / self.package / BALANCER), *arguments)

    def _answers(self) -> bool:
        """Tell whether the first day can run: there is a worker, and a database for what is logged."""
        services = connect().services
        needed = [services.get(f"{self.stack}_{name}") for name in ("worker", "postgres")]
        states = [{task["Status"]["State"] for task in service.tasks()} for service in needed]
        return all("running" in of_one for of_one in states)  # and healthy, or it would be starting

    def remove(self, volumes: bool = False) -> None:
        """Remove the stack, and wait until its containers and networks are gone, since the engine does not."""
        self._balancer("rm", "--stop", "--force")
        with suppress(StageError):  # what is being removed already; that it is gone is seen below
            self.engine("docker", "stack", "rm", self.stack)
        client, ours = connect(), {"label": f"{NAMESPACE}={self.stack}"}

        def is_gone() -> bool:
            left = client.containers.list(all=True, filters=ours, ignore_removed=True)
            return not left and not client.networks.list(filters=ours)

        if not wait_until(is_gone):
            raise StageError(
                f"the stack {self.stack} does not end: `docker stack ps {self.stack}` says what is left"
            )
        for volume in client.volumes.list(filters=ours) if volumes else []:
            volume.remove()

    def keep_logs(self) -> None:
        """Keep what the services printed with the stage's logs."""
        self._balancer("logs", "--no-color")
        for service in connect().services.list(filters={"label": f"{NAMESPACE}={self.stack}"}):
            with suppress(StageError):  # those of a node that died cannot be had
                self.engine("docker", "service", "logs", "--no-trunc", service.name)

    def lend(self, module: str, *arguments: str) -> str:
        """Run a module of `shared` in the worker, beside the level's code; return what it prints."""
        with subprocess.Popen(
            ["tar", "-c", "-C", str(ROOT), "--exclude=__pycache__", "shared"], stdout=subprocess.PIPE
        ) as packed:
            lent = "mkdir -p /tmp/lent && cd /tmp/lent && tar -x && ln -sf /application/* ."
            subprocess.run([self.environment["INSIDE"], "sh", "-c", lent], stdin=packed.stdout, check=True)
        command = shlex.join(["python", "-m", module, *arguments])
        return self.engine(self.environment["INSIDE"], "sh", "-c", f"cd /tmp/lent && {command}")

    def _shell(self, command: str, where: str, more: dict[str, str]) -> list[str]:
        if where == "host":
            return super()._shell(command, where, more)
        given = [f"{name}={value}" for name, value in more.items()]
        return [self.environment["INSIDE"], "env", *given, "bash", "-c", command]


def _variable(server: str) -> str:
    """Return which name in the environment says what its image is."""
    return f"{server.upper()}_IMAGE"


def make_secrets(folder: Path) -> None:
    """Write the passwords of a new stage into files of their own, each in the form in which it is read."""
    if folder.exists():
        return
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    postgres, s3 = token_hex(16), token_hex(20)
    contents = {
        "pgpass": f"*:*:*:stage:{postgres}\n",
        "postgres_password": postgres,
        "s3_credentials": f"[default]\naws_access_key_id = stage\naws_secret_access_key = {s3}\n",
        "s3_key": f'"stage,{s3}"',  # one entry of a list
        "seal_key": token_hex(32),
    }
    for name, content in contents.items():
        (part / name).write_text(content)
    part.rename(folder)


def translate(compose: dict[str, Any], overlay: dict[str, Any]) -> dict[str, Any]:
    """Return what a compose.yaml says in the words of a swarm.

    What is for one machine only is left out: a swarm builds nothing, starts again by itself, knows no profiles,
    and publishes ports on all addresses and not on loopback, which is left to the balancer. So is a volume or a
    command where the overlay has another one: `docker stack deploy` would mount both, and join the two.
    """
    services = {}
    for name, service in compose["services"].items():
        if "profiles" in service:
            continue
        added = overlay["services"][name]
        over = [mount["target"] for mount in added.get("volumes", [])]
        volumes = [volume for volume in service.get("volumes", []) if volume.split(":")[1] not in over]
        limits = {"limits": {"memory": service["mem_limit"]}}
        left_out = {*ONE_MACHINE} | ({"command"} & added.keys())
        services[name] = {key: value for key, value in service.items() if key not in left_out} | {
            "deploy": {"endpoint_mode": "dnsrr", "labels": service["labels"], "resources": limits},
            "volumes": [*volumes, *map(_in_memory, service["tmpfs"])],
        }
    return {"version": "3.9", "services": services, "volumes": compose["volumes"], "networks": compose["networks"]}


def _in_memory(path: str) -> dict[str, str]:
    return {"type": "tmpfs", "target": path}


def join(workspace: Path) -> None:
    """Make this engine a swarm of one node, unless it is in one already; say so.

    The swarm carries a label, by which `clean` knows that it may leave it.

    Raises:
        StageError: this node cannot deploy.
    """
    client = connect()
    swarm = client.info()["Swarm"]
    if swarm["LocalNodeState"] == "inactive":
        labels = {LABEL: str(workspace)}
        client.swarm.init(advertise_addr=LOOPBACK, listen_addr=f"{LOOPBACK}:2377", labels=labels)
        print("made this engine a swarm of one node: `make clean ENGINE=swarm` takes it back", flush=True)
    elif not swarm["ControlAvailable"]:
        raise StageError("this node is a worker of a swarm: deploy from a manager of it")


def wait_until(condition: Callable[[], bool]) -> bool:
    """Poll a condition until it is true or a minute is over; return its last value."""
    deadline = time.monotonic() + SECONDS_TO_CHANGE
    while not (holds := condition()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return holds

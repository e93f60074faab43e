"""Release the application in a swarm: build a commit, test it inside its image, replace the replicas one by one.

How a service is updated is in compose.scale.yaml. A new replica starts beside the old ones; once it is healthy, an
old one ends. If it does not come up, the swarm itself brings the service back to the image that it had.
"""

import os
import subprocess

import docker
from docker.models.services import Service

from ..config import paths, version
from .containers import RELEASED, build
from .lock import exclusive_lock
from .processes import DeployError, ask_version, comes_up

STACK = "com.docker.stack.namespace"


def deploy(revision: str) -> str:
    """Release the images of a commit; return the commit.

    Raises:
        NoCommitError: there is no such commit.
        DeployError: it does not build, fails its tests, or does not come up; the previous images serve.
    """
    commit = version.resolve(revision)
    with exclusive_lock(paths.APP):
        services, needs_model = _released(), bool(ask_version().get("model"))
        before = _image_of(services[0]).rpartition(":")[2]
        build(commit, before)
        if registry := os.environ.get("REGISTRY"):
            for name in {_image_of(service).rpartition(":")[0] for service in services}:
                if name.startswith(registry):
                    _docker("push", f"{name}:{commit}")
        for n, service in enumerate(services):
            if not _update(service, commit):
                _go_back(services[:n])
                raise DeployError(f"{commit} did not come up: the swarm went back to {before}")
        if not comes_up(commit, needs_model):
            _go_back(services)
            raise DeployError(f"{commit} did not come up: back to {before}")
    return commit


def _released() -> list[Service]:
    """Return the services that run released code: first the one that serves.

    Raises:
        DeployError: the stage has none.
    """
    name = os.environ["COMPOSE_PROJECT_NAME"]
    services = docker.from_env().services.list(filters={"label": f"{STACK}={name}"})
    released = [service for service in services if RELEASED in service.attrs["Spec"]["Labels"]]
    if not released:
        raise DeployError(f"no service of {name} serves: start the stage first")
    return sorted(released, key=lambda service: (service.name != f"{name}_app", service.name))


def _image_of(service: Service) -> str:
    return str(service.attrs["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"])


def _update(service: Service, commit: str) -> bool:
    """Give a service the image of a commit, and wait for the end; tell whether it kept it."""
    image = f"{_image_of(service).rpartition(':')[0]}:{commit}"
    _docker("service", "update", "--no-resolve-image", "--image", image, service.name)
    service.reload()  # an update that was rolled back is none that failed, for the command
    return _image_of(service) == image


def _go_back(services: list[Service]) -> None:
    for service in services:
        _docker("service", "rollback", service.name)


def _docker(*arguments: str) -> None:
    subprocess.run(["docker", *arguments], capture_output=True, check=False)

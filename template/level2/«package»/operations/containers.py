"""Release the application as a container: build a commit, test it inside its image, replace, and roll back.

What the containers are is in compose.yaml. Images are built by the engine's own client, through compose, since the
Python package knows only the builder that came before BuildKit.
"""

import os
import shlex
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import docker
from docker.models.containers import Container

from ..config import paths, version
from .lock import exclusive_lock
from .processes import DeployError, ask_version, comes_up

BESIDE = "pyproject.toml", "requirements.lock"  # what a build needs beside the package
REVISION = "org.opencontainers.image.revision"  # the label that every image carries
SERVICE = "com.docker.compose.service"
RELEASED = "«name».released"  # the label of services that run released code


def deploy(revision: str) -> str:
    """Release the image of a commit; return the commit.

    Raises:
        NoCommitError: there is no such commit.
        DeployError: it does not build, fails its tests, or does not answer; the previous image stays in service.
    """
    commit = version.resolve(revision)
    with exclusive_lock(paths.APP):
        before, needs_model = _application().labels[REVISION], bool(ask_version().get("model"))
        services = [container.labels[SERVICE] for container in _containers(RELEASED)]
        build(commit, before)
        if not (_replace(services, commit) and comes_up(commit, needs_model)):
            _replace(services, before)
            raise DeployError(f"{commit} did not come up: back to {before}")
    return commit


def restart() -> bool:
    """Restart the application's container; tell whether it is healthy again."""
    application = _application()
    application.restart()
    return comes_up(application.labels[REVISION])


def build(commit: str, before: str) -> None:
    """Build the images of a commit, and run its tests inside; `before` stays in service if they fail."""
    with TemporaryDirectory() as context:
        version.unpack(commit, Path(context), version.PACKAGE.name, *BESIDE)
        built = _compose("--profile", "tests", "build", REVISION=commit, CONTEXT=context)
    if built.returncode:
        raise DeployError(f"{commit} does not build, {before} stays in service: {_end_of(built)}")
    tested = _compose("run", "--rm", "-T", "tests", REVISION=commit)
    if tested.returncode:
        raise DeployError(
            f"{commit} fails its tests inside the image, {before} stays in service: {_end_of(tested)}"
        )


def _application() -> Container:
    """Return the container that serves.

    Raises:
        DeployError: the stage has none.
    """
    containers = _containers(f"{SERVICE}=app")
    if not containers:
        raise DeployError(f"no container of {os.environ['COMPOSE_PROJECT_NAME']} serves: start the stage first")
    return containers[0]


def _replace(services: list[str], commit: str) -> bool:
    return _compose("up", "--detach", "--no-deps", *services, REVISION=commit).returncode == 0


def _containers(label: str) -> list[Container]:
    """Return the containers of this stage that carry a label."""
    project = f"com.docker.compose.project={os.environ['COMPOSE_PROJECT_NAME']}"
    return docker.from_env().containers.list(filters={"label": [project, label]})


def _compose(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [*shlex.split(os.environ["COMPOSE"]), *arguments]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)


def _end_of(done: "subprocess.CompletedProcess[str]") -> str:
    return " | ".join((done.stdout + done.stderr).strip().splitlines()[-3:])

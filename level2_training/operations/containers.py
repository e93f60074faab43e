"""Release the application as a container: build a commit, test it in its image, replace, and go back by itself.

What the containers are is in compose.yaml. Images are built by the engine's own client, through compose, since the
Python package knows only the builder that came before BuildKit.
"""

import os
import shlex
import subprocess
import tarfile
from tempfile import TemporaryDirectory

import docker
from docker.models.containers import Container

from .deploy import PACKAGE, DeployError, archive, comes_up, said

BESIDE = "pyproject.toml", "requirements.lock"  # what a build needs beside the package
REVISION = "org.opencontainers.image.revision"  # the label that every image carries


def deploy(commit: str) -> str:
    """Put the image of a commit into service, and return the commit.

    Raises:
        DeployError: it does not build, fails its tests, or does not answer; the image before it is in service.
    """
    before, needs_model = _application().labels[REVISION], bool(said().get("model"))
    with TemporaryDirectory() as context:
        with tarfile.open(fileobj=archive(commit, PACKAGE.name, *BESIDE)) as tar:
            tar.extractall(context, filter="data")
        built = _compose("build", "app", "tests", REVISION=commit, CONTEXT=context)
    if built.returncode:
        raise DeployError(f"{commit} does not build, {before} goes on: {_end_of(built)}")
    tested = _compose("run", "--rm", "-T", "tests", REVISION=commit)
    if tested.returncode:
        raise DeployError(f"{commit} fails its tests inside the image, {before} goes on: {_end_of(tested)}")
    if not (_replace(commit) and comes_up(commit, needs_model)):
        _replace(before)
        raise DeployError(f"{commit} did not come up: back to {before}")
    return commit


def restart() -> bool:
    """Restart the application's container; tell whether it is healthy again."""
    commit = _application().labels[REVISION]
    _application().restart()
    return comes_up(commit)


def _application() -> Container:
    """Return the container that serves.

    Raises:
        DeployError: the stage has none.
    """
    project = os.environ["COMPOSE_PROJECT_NAME"]
    labels = [f"com.docker.compose.project={project}", "com.docker.compose.service=app"]
    found = docker.from_env().containers.list(filters={"label": labels})
    if not found:
        raise DeployError(f"no container of {project} serves: start the stage first")
    return found[0]


def _replace(commit: str) -> bool:
    return _compose("up", "--detach", "--no-deps", "app", REVISION=commit).returncode == 0


def _compose(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [*shlex.split(os.environ["COMPOSE"]), *arguments]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)


def _end_of(done: "subprocess.CompletedProcess[str]") -> str:
    return " | ".join((done.stdout + done.stderr).strip().splitlines()[-3:])

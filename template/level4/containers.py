"""The stage as containers: `stage.py` uses this where the environment says ENGINE=docker."""

import hashlib
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

BESIDE = "pyproject.toml", "requirements.lock"  # what a build needs beside the package


class ContainerError(Exception):
    """The engine, or the compose program, does not do what it was asked to."""


def environment(root: Path, package: str) -> dict[str, str]:
    """Return what a stage of containers has in its environment beside all else; nothing without ENGINE=docker.

    Raises:
        ContainerError: the engine is not known, or does not answer.
    """
    engine = os.environ.get("ENGINE", "")
    if not engine:
        return {}
    if engine != "docker":
        raise ContainerError(f"ENGINE={engine} is not known: leave it out, or say ENGINE=docker")
    if not shutil.which("docker") or _fails("docker", "info"):
        raise ContainerError("no Docker engine answers: start one, or leave ENGINE=docker out")
    compose = "docker-compose" if _fails("docker", "compose", "version") else "docker compose"
    name = hashlib.sha256(str(root).encode()).hexdigest()[:8]  # another checkout has containers of its own
    return {
        "ENGINE": engine,
        "COMPOSE": compose,
        "COMPOSE_DOCKER_CLI_BUILD": "1",
        "COMPOSE_FILE": str(root / package / "compose.yaml"),
        "COMPOSE_PROJECT_NAME": f"{package}-{name}",
        "CONTEXT": str(root),
        "DOCKER_BUILDKIT": "1",
        "GROUP": "stage",
        "INSIDE": f"{compose} exec -T worker",
        "REVISION": _git(root, "rev-parse", "--short=12", "HEAD").decode().strip(),
    }


def build(root: Path, package: str) -> str:
    """Build the images of the last commit; return the commit, which is their tag.

    Raises:
        ContainerError: no engine answers, or they do not build.
    """
    os.environ["ENGINE"] = "docker"
    # compose wants a value for each name in its file, also for those that only matter once containers run.
    ports = dict.fromkeys(("PORT", "MLFLOW_PORT", "PREFECT_PORT", "STAGING_PORT", "EVIDENTLY_PORT"), "0")
    given = ports | {"LEVEL": package, "STAGE": str(root / "stage")} | environment(root, package)
    _build(root, package, given)
    return given["REVISION"]


@contextmanager
def up(environment: dict[str, str]) -> Iterator[None]:
    """Build the images of the last commit, start the containers, and remove them at the end; volumes stay.

    Raises:
        ContainerError: the images do not build, or the containers do not start.
    """
    print("building the images, which takes minutes the first time", flush=True)
    _build(Path(environment["ROOT"]), environment["LEVEL"], environment)
    try:
        _compose(environment, "up", "--detach", "--remove-orphans")
        yield
    finally:
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.SIG_IGN)  # a second Ctrl-C must not leave containers behind
        print("stopping", flush=True)
        _compose(environment, "down", "--timeout", "20", "--remove-orphans")


def _build(root: Path, package: str, environment: dict[str, str]) -> None:
    with TemporaryDirectory() as context:
        committed = _git(root, "-c", "tar.umask=0022", "archive", "HEAD", package, *BESIDE)
        subprocess.run(["tar", "-x", "-f", "-", "-C", context], input=committed, check=True)
        _compose(environment | {"CONTEXT": context}, "build")


def _compose(environment: dict[str, str], *arguments: str) -> None:
    """Run a command of compose; it prints what it does."""
    command = [*shlex.split(environment["COMPOSE"]), *arguments]
    # A session of its own: Ctrl-C reaches this process only, which then takes the containers down.
    done = subprocess.run(command, env=os.environ | environment, start_new_session=True, check=False)
    if done.returncode:
        raise ContainerError(f"`{shlex.join(command)}` failed: it says why above")


def _fails(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode != 0


def _git(root: Path, *arguments: str) -> bytes:
    try:
        return subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True).stdout
    except subprocess.CalledProcessError as error:
        raise ContainerError(f"images are built from a commit: {error.stderr.decode().strip()}") from error

"""A stage as containers: the same level, the same commands and the same endpoints, under a container engine.

What the containers are is the level's own compose.yaml. Commands run on this machine, and reach into the stage
through its worker.
"""

import hashlib
import os
import shlex
import shutil
import subprocess
from contextlib import suppress
from tempfile import TemporaryDirectory
from typing import Any

from ..base import ROOT, StageError, git
from .carry import CARRIED, IMAGES
from .process import last_line, run
from .stage import SECONDS_TO_STOP, Stage

LABEL = "mlops-levels.stage"  # on containers, networks and volumes: the workspace of their stage
BESIDE = "pyproject.toml", "requirements.lock"  # what a build needs beside the level
IMAGE_LABEL = "mlops-levels.image"  # on images: their level


def connect() -> Any:
    """Return a client of the engine.

    Raises:
        StageError: none answers.
    """
    import docker

    try:
        client = docker.from_env()
        client.ping()
    except docker.errors.DockerException as error:
        raise StageError(
            "no Docker engine answers: start one (`docker info` says when it is there), "
            "or leave ENGINE=docker out and run the stage as processes"
        ) from error
    return client


def find_compose() -> str:
    """Return the command of this machine's compose, which may be a plugin or the older program.

    Raises:
        StageError: there is neither.
    """
    plugin = ["docker", "compose", "version"]
    if shutil.which("docker") and subprocess.run(plugin, capture_output=True, check=False).returncode == 0:
        return "docker compose"
    if shutil.which("docker-compose"):
        return "docker-compose"
    raise StageError("neither `docker compose` nor `docker-compose` is installed: install one of them")


class ContainerStage(Stage):
    """A level whose processes are containers."""

    _up = False  # whether it was this one that started them

    def _environment(self) -> dict[str, str]:
        if not (ROOT / self.package / "compose.yaml").exists():
            raise StageError(f"level {self.number} has no containers: leave ENGINE=docker out")
        connect()
        compose = find_compose()
        name = hashlib.sha256(str(self.workspace).encode()).hexdigest()[:8]
        return super()._environment() | {
            "ENGINE": "docker",
            "COMPOSE": compose,
            "COMPOSE_DOCKER_CLI_BUILD": "1",
            "COMPOSE_FILE": str(ROOT / self.package / "compose.yaml"),
            "COMPOSE_PROJECT_NAME": f"{self.package}-{name}",
            "CONTEXT": str(ROOT),
            "DOCKER_BUILDKIT": "1",
            "GROUP": f"level{self.number}",
            "INSIDE": f"{compose} exec -T worker",
            "REVISION": os.environ.get("REVISION") or _revision(),
        }

    def prepare(self, keep: bool = False) -> None:
        """Make an empty workspace, and remove what an earlier stage left in volumes; or `keep` what is there."""
        super().prepare(keep)
        (self.workspace / "drop").mkdir(exist_ok=True)  # else the engine makes it, and it is the engine's
        self.remove(volumes=not keep)

    def remove(self, volumes: bool = False) -> None:
        """Remove the stage's containers and networks, and its volumes too if told to."""
        seconds = f"{SECONDS_TO_STOP:.0f}"
        self.compose("down", "--timeout", seconds, *(["--volumes"] if volumes else []), "--remove-orphans")

    def start(self) -> None:
        """Build the images, start the containers, and in one of them the process that runs the days."""
        if not self._is_carried():  # where no package can be had, images cannot be built
            print(f"{self.package}: building its images, which takes minutes the first time", flush=True)
            self.build()
        self._up = True
        self.bring_up()
        self.start_daily_runs()

    def build(self) -> None:
        """Build the images of the level."""
        self.compose("build")

    def bring_up(self) -> None:
        """Start the containers, whose images are there."""
        self.compose("up", "--detach")

    def _is_carried(self) -> bool:
        """Tell whether the images of this very commit were carried to this machine."""
        tag = f"{self.package}/app:{self.environment['REVISION']}"
        here = {name for image in connect().images.list() for name in image.tags}
        return (ROOT / CARRIED / IMAGES).exists() and tag in here

    def start_daily_runs(self) -> None:
        """Start the process that runs the days, in one of the containers."""
        command = ["python", "-m", self.package, "daily", "-"]
        self._daily = self._spawn(*shlex.split(self.environment["INSIDE"]), *command, stdin=subprocess.PIPE)

    def stop(self) -> None:
        """End the daily runs; whoever started the containers removes them too, but neither volumes nor logs."""
        if self._daily is not None and self._daily.stdin is not None:
            with suppress(subprocess.TimeoutExpired, BrokenPipeError):
                self._daily.stdin.close()  # a signal would end this end of the pipe only
                self._daily.wait(timeout=SECONDS_TO_STOP)
        super().stop()
        if not self._up:
            return
        try:
            self.keep_logs()
        finally:
            self.remove()

    def keep_logs(self) -> None:
        """Keep what the containers printed with the stage's logs."""
        self.compose("logs", "--no-color")

    def lend(self, module: str, *arguments: str) -> str:
        """Run a module of `shared` in a container of its own, beside the level's code; return what it prints."""
        lent = ["--volume", f"{ROOT / 'shared'}:/application/shared:ro"]
        return self.compose("run", "--rm", "--no-deps", "-T", *lent, "worker", "python", "-m", module, *arguments)

    def _shell(self, command: str, where: str, more: dict[str, str]) -> list[str]:
        if where == "host":
            return super()._shell(command, where, more)
        given = [part for name, value in more.items() for part in ("-e", f"{name}={value}")]
        *inside, worker = shlex.split(self.environment["INSIDE"])
        return [*inside, *given, worker, "bash", "-c", command]

    def compose(self, *arguments: str) -> str:
        """Run a command of compose; its output is kept in the stage's logs.

        Raises:
            StageError: it failed.
        """
        return self.engine(*shlex.split(self.environment["COMPOSE"]), *arguments)

    def engine(self, *command: str, text: str = "") -> str:
        """Run a command of the engine or of compose; what it prints is kept in the stage's logs.

        Args:
            command: the program and its arguments.
            text: its standard input.

        Raises:
            StageError: it failed.
        """
        done = run(command, ROOT, os.environ | self.environment, text)
        path = self.workspace / "logs" / "compose.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as log:
            log.write(f"$ {shlex.join(command)}\n{done.stdout}{done.stderr}")
        if done.returncode:
            done.stderr = done.stderr.strip().removesuffix(f"\n{done.returncode}")  # old composes end with it
            raise StageError(f"`{shlex.join(command)}` failed: {last_line(done)}; all of it is in {path}")
        return done.stdout


def build_images(number: int) -> str:
    """Build a level's images from what was committed last; return the commit, which is their tag."""
    revision = git(ROOT, "rev-parse", "--short=12", "HEAD").strip()
    stage = ContainerStage(number)
    with TemporaryDirectory() as context:
        archive = ["git", "-c", "tar.umask=0022", "archive", "HEAD", stage.package, *BESIDE]
        tar = subprocess.run(archive, cwd=ROOT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x", "-C", context], input=tar, check=True)
        stage.environment |= {"CONTEXT": context, "REVISION": revision}
        stage.compose("build")
    return revision


def _revision() -> str:
    try:
        return git(ROOT, "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty").strip()
    except StageError:  # a copy without its history
        return "unknown"

"""What the levels are compared with: servers of the same model, each a process on a port of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from shared.base import ROOT, StageError
from shared.stack.stage import Stage

SECONDS_TO_START = 120.0
MODEL = "models:/flight-delays/1"


@dataclass(frozen=True)
class Server:
    """A server under load: where it listens, and what its requests look like."""

    name: str
    port: int
    path: str = "/predict"
    requests: str = "flights"  # or `features`, or those of MLflow
    refuses: bool = False  # what it cannot answer in time

    def processor_seconds(self) -> float:
        """Return the processor time that its processes have taken so far."""
        found = [
            psutil.Process(connection.pid)
            for connection in psutil.net_connections("tcp4")
            if connection.pid and connection.status == "LISTEN" and connection.laddr[-1:] == (self.port,)
        ]
        family = {
            process.pid: process for parent in found for process in [parent, *parent.children(recursive=True)]
        }
        times = [process.cpu_times() for process in family.values()]
        return sum(time.user + time.system for time in times)


def peers(stage: Stage) -> list[tuple[Server, list[str]]]:
    """Return the servers of what a running stage of level 3 has, its first version and the Bento of it.

    Each comes with the command that starts it, but for the port, which is that command's last argument.
    """
    training, serving = sys.executable, stage.environment["SERVING"]
    uvicorn = ["-m", "uvicorn", "--no-access-log", "--host", "127.0.0.1"]
    bentoml = [serving, "-m", "bentoml", "serve", "--host", "127.0.0.1"]
    mlflow = [training, "-m", "mlflow", "models", "serve", "-m", MODEL, "-h", "127.0.0.1"]
    mlflow += ["--env-manager", "local", "--workers", "1"]
    bento = next(Path(stage.environment["BENTOML_HOME"], "bentos", "flight-delays").glob("*/bento.yaml")).parent
    return [
        (_server("empty endpoint"), [serving, *uvicorn, "benchmarks.peers.empty:app", "--port"]),
        (_server("mlflow models serve", path="/invocations", requests="mlflow"), [*mlflow, "--port"]),
        (
            _server("bare FastAPI", requests="features"),
            [training, *uvicorn, "benchmarks.peers.bare:app", "--port"],
        ),
        (_server("bentoml serve, the Bento"), [*bentoml, f"flight-delays:{bento.name}", "--port"]),
        (_server("BentoML's endpoint"), [*bentoml, "benchmarks.peers.typed:Typed", "--port"]),
        (
            _server("BentoML's endpoint, batching", refuses=True),
            [*bentoml, "benchmarks.peers.typed:Batched", "--port"],
        ),
        (_server("BentoML's endpoint, two workers"), [*bentoml, "benchmarks.peers.typed:Workers", "--port"]),
    ]


def missing(command: list[str]) -> str | None:
    """Return the package that a command runs and that is not installed."""
    python, _, package, *_ = command
    done = subprocess.run([python, "-c", f"import {package}"], capture_output=True, check=False)
    return package if done.returncode else None


@contextmanager
def served(stage: Stage, folder: Path) -> Iterator[tuple[list[Server], list[str]]]:
    """Serve every peer that is installed; yield them, and which were left out and why.

    Args:
        stage: a running one of level 3 that has a champion.
        folder: for their logs.

    Raises:
        StageError: one of them does not answer.
    """
    servers, left_out = [], []
    package = next((stage.workspace / "serving").glob("*/package.json")).parent
    with ExitStack() as stack:
        for server, command in peers(stage):
            if package_missing := missing(command):
                left_out.append(f"{server.name}: {package_missing} is not installed")
                continue
            own = folder / server.name.replace(" ", "_")
            own.mkdir(parents=True, exist_ok=True)
            environment = (
                os.environ | stage.environment | {"MODEL": MODEL, "PACKAGE": str(package), "STAGE": str(own)}
            )
            if "bentoml" in command:
                del environment["MLFLOW_TRACKING_URI"]  # a Bento has its model with it
            stack.enter_context(_process([*command, str(server.port)], environment, own / "log"))
            servers.append(server)
        for server in servers:
            _wait_for(server, folder)
        yield servers, left_out


@contextmanager
def _process(command: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    """Run a server, and end it with whatever it started."""
    with log.open("w") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=file, stderr=file, start_new_session=True
        )
    try:
        yield
    finally:
        family = [psutil.Process(process.pid)]
        family += family[0].children(recursive=True)
        os.killpg(process.pid, signal.SIGTERM)
        _, alive = psutil.wait_procs(family, timeout=10)
        for survivor in alive:
            survivor.kill()
        process.wait()


def _wait_for(server: Server, folder: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{server.port}/", timeout=5)
            return
        except httpx.TransportError as error:
            if time.monotonic() > deadline:
                raise StageError(f"{server.name} does not answer: see its log in {folder}") from error
            time.sleep(0.1)


def _server(name: str, path: str = "/predict", requests: str = "flights", refuses: bool = False) -> Server:
    """Return a server on a port that nothing uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Server(name, int(probe.getsockname()[1]), path, requests, refuses)

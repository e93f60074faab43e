"""A stage: start a level, run its days, ask it, stop it. What is particular to a level is in its `stage.yaml`."""

import csv
import hashlib
import json
import os
import shlex
import shutil
import signal
import string
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from types import FrameType
from typing import IO, Any

import httpx
import psutil
import yaml

from .. import base
from ..base import ROOT, StageError, levels
from . import elsewhere, fork_server, leftovers, lock, ports
from .databases import make_databases
from .process import last_line, run

SECONDS_TO_START = 90.0
SECONDS_TO_STOP = 20.0
# Bytes: supervisord makes a socket in the workspace, named after its process, and macOS takes no socket whose path
# has more than 103 (Linux: 107).
LONGEST_WORKSPACE = 103 - len("/supervisor.sock.1234567")

# No library calls home; a stage's own settings come from its stage.yaml.
TELEMETRY_OFF = {
    "DO_NOT_TRACK": "1",
    "BENTOML_DO_NOT_TRACK": "true",
    "DVC_NO_ANALYTICS": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "ORT_DISABLE_TELEMETRY": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}
# Threads that wait for each other do it asleep: busy ones make two trainings on two cores many times slower than
# one after the other.
ASLEEP = {"OMP_WAIT_POLICY": "passive"}
# Questions to a stage do not leave this machine, also where all others go through a proxy.
NO_PROXY = {
    name: ",".join(filter(None, (os.environ.get(name), "127.0.0.1", "localhost")))
    for name in ("NO_PROXY", "no_proxy")
}
os.environ |= NO_PROXY
# Asks all questions: making a client takes longer than most answers. Each has a connection of its own, since the
# process that answered the one before may have been replaced.
CLIENT = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0))


@dataclass(frozen=True)
class Event:
    """One thing that happened in a daily run: programs go by its kind and facts, people by its text."""

    kind: str
    text: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """The prediction of a level for a flight, with its model and arm as far as the level names them."""

    late_probability: float
    model: str = ""
    arm: str = ""
    intercept: float = 0.0  # what the level added to the logit of its model's prediction


@dataclass
class Stage:
    """One level, with a workspace folder for all that it writes."""

    number: int
    workspace: Path = field(default=Path())  # .stage/levelN unless told otherwise
    disk_full: bool = False  # commands of people cannot write to files either
    fork_server: bool = False  # people's scripts run as forks of an interpreter that has been started already
    _processes: subprocess.Popen[str] | None = None
    _daily: subprocess.Popen[str] | None = None  # runs the days
    _python: subprocess.Popen[str] | None = None

    def __post_init__(self) -> None:
        if self.workspace == Path():
            self.workspace = base.WORKSPACES / f"level{self.number}"
        if self.number not in levels():
            known = ", ".join(f"{number} ({name})" for number, name in levels().items())
            raise StageError(f"there is no level {self.number}: choose one of {known}")
        self.package = levels()[self.number]
        self.description: dict[str, Any] = yaml.safe_load((ROOT / self.package / "stage.yaml").read_text())
        self.environment = self._environment()

    def _environment(self) -> dict[str, str]:
        """Return what every process of the stage finds in its environment."""
        environment = {
            "LEVEL": self.package,
            "NUMBER": str(self.number),
            "STAGE": str(self.workspace),
            "ROOT": str(ROOT),
            "CACHE": str(base.WORKSPACES / "cache"),
            "ENGINE": "",  # of containers; without one, the stage is processes of this machine
            "INSIDE": "",  # what to put before a command that is to run inside the stage
            "HOST": "127.0.0.1",  # where it listens, whatever this means in the environment of who starts it
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        }
        self.ports = ports.choose(self.description["ports"], self.number)
        environment |= {name: str(port) for name, port in self.ports.items()}
        for name, value in self.description["environment"].items():
            environment[name] = string.Template(str(value)).substitute(environment)
        self.elsewhere = elsewhere.names(self.description.get("elsewhere", {}))
        return environment | self.elsewhere | TELEMETRY_OFF | ASLEEP | NO_PROXY

    def fill(self, text: str, **more: str) -> str:
        """Replace ${NAME} in `text` from the stage's environment."""
        return string.Template(text).substitute(self.environment, **more)

    def prepare(self, keep: bool = False) -> None:
        """Make an empty workspace, or `keep` what is there.

        Raises:
            StageError: ports are taken; the workspace is left as it was.
        """
        if left := leftovers.end(self.workspace):
            print(f"ended what a stage that was killed had left here: {left} processes", flush=True)
        ports.check_free(self.ports, self.description["ports"], self.number)
        if not keep:
            shutil.rmtree(self.workspace, ignore_errors=True)
            self.workspace.mkdir(parents=True)
            commands = self.description.get("databases")
            inside = self.environment["ENGINE"] or "POSTGRES" in elsewhere.given()  # of containers, or of a server
            if commands and not inside:
                make_databases(commands, self.workspace, os.environ | self.environment)
        if self.elsewhere:
            elsewhere.make_databases(self.elsewhere)
            print(elsewhere.words(self.elsewhere), flush=True)
        (self.workspace / "logs").mkdir(parents=True, exist_ok=True)
        Path(self.environment["CACHE"]).mkdir(parents=True, exist_ok=True)
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in self.environment.items()]
        (self.workspace / "env").write_text("".join(lines))

    def start(self) -> None:
        """Start the level's processes, and the one that runs its days; a level without any starts nothing.

        Raises:
            StageError: the workspace lies too deep for the processes to be kept.
        """
        if (ROOT / self.package / "supervisord.conf").exists():
            self._check_depth()
            self._processes = self._spawn("supervisord", "-c", f"{self.package}/supervisord.conf")
        self.start_daily_runs()
        if self.fork_server:
            fork_server.prepare(self._fork_server_folder)
            command = [sys.executable, "-m", "shared.stack.fork_server", str(self._fork_server_folder)]
            self._python = self._spawn(*command)

    def _check_depth(self) -> None:
        length = len(os.fsencode(self.workspace))
        if length > LONGEST_WORKSPACE:
            raise StageError(
                f"{self.workspace} is too long for the socket that supervisord makes in it: {length} bytes, "
                f"and there is room for {LONGEST_WORKSPACE}; move the project to a shorter path"
            )

    def start_daily_runs(self) -> None:
        """Start the process that runs the days; a level where nothing happens by itself has none."""
        if (ROOT / self.package / "__main__.py").exists():
            self._daily = self._spawn(sys.executable, "-m", self.package, "daily", "-", stdin=subprocess.PIPE)

    def _spawn(self, *command: str, stdin: int = subprocess.DEVNULL) -> "subprocess.Popen[str]":
        log: IO[str] = (self.workspace / "logs" / f"{Path(command[0]).name}.out").open("a")
        # A session of its own: Ctrl-C reaches this process, which then stops its stage in good order.
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | self.environment,
            stdin=stdin,
            stdout=subprocess.PIPE if stdin == subprocess.PIPE else log,
            stderr=log,
            text=True,
            start_new_session=True,
        )

    def run_day(self, day: date) -> list[Event]:
        """Let happen what happens by itself on `day`; return its events.

        Raises:
            StageError: the process that runs the days has died.
        """
        if self._daily is None or self._daily.stdin is None or self._daily.stdout is None:
            return []
        with suppress(BrokenPipeError):  # it has died: then it does not answer either
            self._daily.stdin.write(f"{day}\n")
            self._daily.stdin.flush()
        line = self._daily.stdout.readline()
        if not line:
            raise StageError(f"the daily run died on {day}: see {self.workspace}/logs")
        return [Event(**event) for event in json.loads(line)["events"]]

    def run(self, command: str, where: str = "stage", **more: str) -> None:
        """Run one shell command the way a person of this level would.

        Args:
            command: may name what is in the stage's environment, as ${NAME}.
            where: `stage`, or `host` for what must reach its processes; here they are the same.
            more: further names, with their values.
        """
        done = run(self._shell(command, where, more), ROOT, os.environ | self.environment | self._path())
        with (self.workspace / "logs" / "people.log").open("a") as log:
            log.write(f"$ {self.fill(command, **more)}\n{done.stdout}{done.stderr}")
        if done.returncode:
            raise StageError(f"`{self.fill(command, **more)}` failed: {last_line(done)}")

    @property
    def _fork_server_folder(self) -> Path:
        return self.workspace / "fork_server"

    def _path(self) -> dict[str, str]:
        path = self.environment["PATH"]
        return {"PATH": f"{self._fork_server_folder}{os.pathsep}{path}"} if self.fork_server else {}

    @property
    def has_processes(self) -> bool:
        """Tell whether something keeps processes of the stage running."""
        return self._processes is not None

    def is_ready(self) -> bool:
        """Tell whether the level answers; one without a server always does."""
        return "ready" not in self.description or _answers(self.fill(self.description["ready"]))

    def _shell(self, command: str, where: str, more: dict[str, str]) -> list[str]:
        return ["bash", "-c", ("ulimit -f 0; " if self.disk_full else "") + self.fill(command, **more)]

    def lend(self, module: str, *arguments: str) -> str:
        """Run a module of `shared` inside the stage, beside the level's own code; return what it prints.

        Raises:
            StageError: it failed; what it printed is in the stage's logs.
        """
        command = [sys.executable, "-m", module, *arguments]
        done = run(command, ROOT, os.environ | self.environment)
        log = self.workspace / "logs" / "lent.log"
        with log.open("a") as file:
            file.write(f"$ {shlex.join(command[1:])}\n{done.stderr}")
        if done.returncode:
            raise StageError(f"`{shlex.join(command[1:])}` failed: {log} says why")
        return done.stdout

    def wait_until_ready(self) -> None:
        """Wait until the level answers.

        Raises:
            StageError: it did not in time, or what keeps its processes has ended.
        """
        deadline = time.monotonic() + SECONDS_TO_START
        while not self.is_ready():
            if self._processes is not None and self._processes.poll() is not None:
                raise StageError(f"supervisord has ended: {self.workspace}/logs/supervisord.out says why")
            if time.monotonic() > deadline:
                address = self.fill(self.description["ready"])
                raise StageError(
                    f"{address} did not answer within {SECONDS_TO_START:.0f} s: see {self.workspace}/logs"
                )
            time.sleep(0.05)

    def ask(self, day: date, flights: str) -> dict[str, Answer]:
        """Return the predictions by flight id, from the level's own endpoint.

        Args:
            day: the day the flights are scheduled for.
            flights: the flights as a JSON array.
        """
        endpoint = self.fill(self.description["predictions"], DAY=str(day))
        if not endpoint.startswith("http"):
            with open(endpoint, newline="") as scored:
                rows = list(csv.DictReader(scored))
            return {row["flight_id"]: Answer(float(row["late_probability"])) for row in rows}
        body, kind = f'{{"flights": {flights}}}', {"content-type": "application/json"}
        response = CLIENT.post(endpoint, content=body, headers=kind, timeout=30)
        if not response.is_success:
            raise StageError(f"{endpoint} answered {response.status_code}: {response.text[:300]}")
        return {
            prediction["flight_id"]: Answer(
                prediction["late_probability"],
                prediction["model"],
                prediction.get("arm", ""),
                prediction.get("intercept", 0.0),
            )
            for prediction in response.json()["predictions"]
        }

    def version(self) -> dict[str, Any]:
        """Return what the level says about itself; without a server, the start of its model's SHA-256."""
        endpoint = self.fill(self.description["version"])
        if not endpoint.startswith("http"):
            path = Path(endpoint)
            return {"model": hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.exists() else None}
        response = CLIENT.get(endpoint, timeout=5)
        if not response.is_success:
            raise StageError(f"{endpoint} answered {response.status_code}: {response.text[:300]}")
        return dict(response.json())

    def model(self) -> str | None:
        """Return the name of the model that serves."""
        return self.version()["model"]

    def family(self, scripts: bool = False) -> list[psutil.Process]:
        """Return the living processes of the stage; on demand, also the fork server of people's scripts."""
        all_started = self._processes, self._daily, self._python if scripts else None
        started = [process for process in all_started if process and process.poll() is None]
        parents = [psutil.Process(process.pid) for process in started]
        return parents + [child for parent in parents for child in parent.children(recursive=True)]

    def stop(self) -> None:
        """End every process of the stage, and wait until they are gone."""
        started = [process for process in (self._daily, self._processes, self._python) if process is not None]
        family = self.family(scripts=True)
        for process in started:
            process.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(family, timeout=SECONDS_TO_STOP)
        for survivor in alive:
            survivor.kill()
        psutil.wait_procs(alive, timeout=SECONDS_TO_STOP)
        self._daily = self._processes = self._python = None


@contextmanager
def running(stage: Stage, keep: bool = False) -> Iterator[None]:
    """Prepare and start a stage, and end it however this block ends: done, failed, Ctrl-C, or told to end.

    Raises:
        StageError: one runs in this workspace already; it is left alone.
    """
    with lock.held(stage.workspace, stage.ports):
        try:
            with _until_the_end(stage, partial(stage.prepare, keep), stage.start):
                yield
        finally:
            leftovers.end(stage.workspace)  # whose parents were killed


def running_days(stage: Stage) -> AbstractContextManager[None]:
    """Run days in a stage that another process has started, and stop however this block ends."""
    return _until_the_end(stage, lambda: None, stage.start_daily_runs)


@contextmanager
def _until_the_end(stage: Stage, prepare: Callable[[], None], start: Callable[[], None]) -> Iterator[None]:
    def end(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {name: signal.signal(name, end) for name in (signal.SIGTERM, signal.SIGHUP)}
    before[signal.SIGINT] = signal.getsignal(signal.SIGINT)
    try:
        prepare()
        try:
            start()
            yield
        finally:
            for name in before:
                signal.signal(name, signal.SIG_IGN)  # a second Ctrl-C must not leave processes behind
            if stage.has_processes:
                print(f"{stage.package}: stopping", flush=True)  # it takes seconds
            stage.stop()
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _answers(address: str) -> bool:
    try:
        return CLIENT.get(address, timeout=5).is_success
    except httpx.TransportError:
        return False

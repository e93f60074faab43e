"""The stage of this project: brings its processes up, keeps what they write in `stage/`, runs commands beside it.

What the stage consists of is in the package: `stage.yaml` (ports, environment, addresses), `supervisord.conf` (its
processes) and `compose.yaml` (the same as containers).
"""

import fcntl
import filecmp
import hashlib
import http.client
import json
import os
import shlex
import signal
import socket
import string
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import psutil
import yaml

import containers

PACKAGE = "«package»"
ROOT = Path(__file__).resolve().parent
STAGE = ROOT / "stage"
LOCK = STAGE / "running.lock"  # held by the process that keeps the stage up; names its environment
SECONDS_TO_START, SECONDS_TO_STOP = 120.0, 20.0
«% if level >= 2 %»
# Where the state is, in place of files, if the environment says so.
ELSEWHERE = "MLFLOW_ARTIFACTS_DESTINATION", "MLFLOW_BACKEND_STORE_URI"
«% endif %»
# Bytes: supervisord makes a socket in the stage, named after its process, and macOS takes no socket whose path has
# more than 103.
LONGEST_STAGE = 103 - len("/supervisor.sock.1234567")
# No library calls home.
TELEMETRY_OFF = {
    "DO_NOT_TRACK": "1",
    "BENTOML_DO_NOT_TRACK": "true",
    "DVC_NO_ANALYTICS": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "ORT_DISABLE_TELEMETRY": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}
ASLEEP = {"OMP_WAIT_POLICY": "passive"}  # threads that wait for each other busily slow each other down
# Questions to the stage do not leave this machine, also where all others go through a proxy.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
NO_PROXY = {
    name: ",".join(filter(None, (os.environ.get(name), "127.0.0.1", "localhost")))
    for name in ("NO_PROXY", "no_proxy")
}
USAGE = "python stage.py up [--once] | ready | running | image | run COMMAND... | inside COMMAND..."


class StageError(Exception):
    """The stage cannot do what it was asked to; the message says why, and what would help."""


def up(once: bool) -> None:
    """Bring the stage up and keep it up until Ctrl-C; with `once`, stop as soon as it answers.

    Raises:
        StageError: it runs already, a port is taken, or it does not come up.
    """
    if len(os.fsencode(STAGE)) > LONGEST_STAGE:
        raise StageError(f"{STAGE} is too long a path for the socket of supervisord: move the project")
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    for folder in (STAGE / "drop", STAGE / "logs", STAGE / "cache"):
        folder.mkdir(parents=True, exist_ok=True)
    environment = describe()
    with _held(environment):
        if left := _end_all():
            print(f"ended {left} processes of a stage that was killed", flush=True)
        _check_ports(environment)
        keep = containers.up if environment["ENGINE"] else _up_as_processes
        with keep(environment) as process:
            _wait_until_ready(environment, process)
            for name, address in description().get("addresses", {}).items():
                print(f"  {name:<18} {fill(address, environment)}", flush=True)
            if not once:
                print("Ctrl-C stops the stage; what it wrote stays in stage/", flush=True)
                _wait_for_end(process)


def run(command: list[str], inside: bool = False) -> int:
    """Run a command in the environment of the running stage; return its exit code.

    Args:
        command: the program and its arguments.
        inside: where the stage is containers, run it in the one called worker.

    Raises:
        StageError: the stage does not run.
    """
    environment = running()
    prefix = shlex.split(environment["INSIDE"]) if inside else []
    return subprocess.run([*prefix, *command], cwd=ROOT, env=os.environ | environment, check=False).returncode


def ready() -> None:
    """Wait until the running stage answers.

    Raises:
        StageError: none runs, or it does not answer in time.
    """
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        with suppress(StageError):
            if _answers(running()):
                return
        if time.monotonic() > deadline:
            _wait_until_ready(running(), None, seconds=0)
        time.sleep(0.2)


@cache
def description() -> dict[str, Any]:
    """Return what the package says about its stage."""
    return dict(yaml.safe_load((ROOT / PACKAGE / "stage.yaml").read_text()))


def describe() -> dict[str, str]:
    """Return the environment of a stage that is about to start; OFFSET moves its ports."""
    environment = {
        "LEVEL": PACKAGE,
        "STAGE": str(STAGE),
        "ROOT": str(ROOT),
        "CACHE": str(STAGE / "cache"),
        "ENGINE": "",
        "INSIDE": "",
        "HOST": "127.0.0.1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    offset = os.environ.get("OFFSET") or "0"
    if not offset.removeprefix("-").isdecimal():
        raise StageError(f"OFFSET={offset} is no number: say OFFSET=1000, for example")
    for name, port in description()["ports"].items():
        environment[name] = os.environ.get(name) or str(port + int(offset))
    for name, value in description()["environment"].items():
        environment[name] = fill(str(value), environment)
«% if level >= 2 %»
    environment |= {name: os.environ[name] for name in ELSEWHERE if os.environ.get(name)}
«% endif %»
    return environment | TELEMETRY_OFF | ASLEEP | NO_PROXY | containers.environment(ROOT, PACKAGE)


def fill(text: str, environment: dict[str, str]) -> str:
    """Replace each ${NAME} in a text."""
    return string.Template(text).substitute(environment)


def running() -> dict[str, str]:
    """Return the environment of the stage that runs.

    Raises:
        StageError: none does.
    """
    with suppress(OSError, ValueError), LOCK.open() as file:
        if not _take(file.fileno(), fcntl.LOCK_SH) and (text := file.read()):
            return dict(json.loads(text))
    raise StageError("the stage does not run: start it with `make run`, in another terminal")


@contextmanager
def _held(environment: dict[str, str]) -> Iterator[None]:
    """Hold the lock of the stage; whoever dies lets go of it."""
    with LOCK.open("a") as file:
        if not _take(file.fileno(), fcntl.LOCK_EX):
            raise StageError("the stage runs already: end it with Ctrl-C where it was started, or use it")
        file.truncate(0)
        file.write(json.dumps(environment))
        file.flush()
        yield


def _take(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _up_as_processes(environment: dict[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    _make_databases(environment)
    _let_go_of_outdated_release()
    with (STAGE / "logs" / "supervisord.out").open("a") as log:
        command = ["supervisord", "-c", f"{PACKAGE}/supervisord.conf"]
        # A session of its own: Ctrl-C reaches this process, which then stops the others in good order.
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process
    finally:
        _ignore_signals()
        print("stopping", flush=True)
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS_TO_STOP)
        _end_all()


def _make_databases(environment: dict[str, str]) -> None:
    """Make the databases of the servers, or take them to other versions of the servers."""
    commands = description().get("databases", [])
    made_by = hashlib.sha256("\n".join([*commands, (ROOT / "requirements.lock").read_text()]).encode()).hexdigest()
    note = STAGE / "databases.sha256"
    if not commands or (note.exists() and note.read_text() == made_by):
        return
    print("making the databases of the servers", flush=True)
    for command in commands:
        shell, given = ["bash", "-c", command], os.environ | environment
        done = subprocess.run(shell, cwd=ROOT, env=given, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StageError(f"`{command}` failed: {done.stderr.strip()[-500:]}")
    note.write_text(made_by)


def _let_go_of_outdated_release() -> None:
    """Have the application run this checkout if its release was made for other processes, as before a climb."""
    current, processes = STAGE / "app" / "current", f"{PACKAGE}/supervisord.conf"
    if not current.exists() or filecmp.cmp(current / processes, ROOT / processes, shallow=False):
        return
    current.unlink()
    print("the last release was made for other processes: until `make deploy` this checkout runs", flush=True)


def _end_all() -> int:
    """End every process whose environment names this stage, such as what a killed stage left; return how many."""
    ours = [process for process in psutil.process_iter() if process.pid != os.getpid() and _stage_of(process)]
    for process in ours:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(ours, timeout=SECONDS_TO_STOP)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=SECONDS_TO_STOP)
    return len(ours)


def _stage_of(process: psutil.Process) -> bool:
    try:
        return process.environ().get("STAGE") == str(STAGE)
    except psutil.Error:  # of another user, or gone
        return False


def _check_ports(environment: dict[str, str]) -> None:
    taken = []
    for name in description()["ports"]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", int(environment[name])))
            except (OSError, OverflowError, ValueError):
                taken.append(f"{environment[name]} ({name})")
    if taken:
        raise StageError(f"no free port: {', '.join(taken)}; move all ports of the stage: `make run OFFSET=1000`")


def _wait_until_ready(
    environment: dict[str, str], process: "subprocess.Popen[bytes] | None", seconds: float = SECONDS_TO_START
) -> None:
    deadline = time.monotonic() + seconds
    while not _answers(environment):
        if process is not None and process.poll() is not None:
            raise StageError("supervisord has ended: stage/logs/supervisord.out says why")
        if time.monotonic() > deadline:
            address = fill(description()["ready"], environment)
            raise StageError(f"{address} did not answer within {SECONDS_TO_START:.0f} s: see stage/logs")
        time.sleep(0.1)


def _answers(environment: dict[str, str]) -> bool:
    try:
        with DIRECT.open(fill(description()["ready"], environment), timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, http.client.HTTPException):
        return False


def _wait_for_end(process: "subprocess.Popen[bytes] | None") -> None:
    if process is None:
        signal.pause()
    elif process.wait() is not None:
        raise StageError("supervisord has ended: stage/logs/supervisord.out says why")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _ignore_signals() -> None:
    """A second Ctrl-C must not leave processes behind."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)


def main(arguments: list[str]) -> int:
    """Do what the command line says; return the exit code."""
    match arguments:
        case ["up"] | ["up", "--once"]:
            with suppress(KeyboardInterrupt):
                up(once="--once" in arguments)
        case ["ready"]:
            ready()
        case ["running"]:
            running()
        case ["image"]:
            print(containers.build(ROOT, PACKAGE))
        case ["run", *command] if command:
            return run(command)
        case ["inside", *command] if command:
            return run(command, inside=True)
        case _:
            raise StageError(f"usage: {USAGE}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (StageError, containers.ContainerError) as error:
        sys.exit(str(error))

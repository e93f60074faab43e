"""What is asked before a command: one line says what to do, before anything is installed or emptied."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from shared import base
from shared.base import ROOT, StageError, levels
from shared.stack import leftovers, lock, ports, preflight
from shared.stack.stage import Stage, running

from ..conftest import PORTS, free_port, wait_for

HOLD = """
import sys, time
from pathlib import Path
from shared.stack import lock
with lock.held(Path(sys.argv[1]), {"PORT": 8003}):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def workspaces(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    short = tmp_path_factory.mktemp("s")  # supervisord makes its socket in it: a path has 79 bytes
    monkeypatch.setattr(base, "WORKSPACES", short)
    return short


@pytest.fixture
def other(workspaces: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run a stage of level 3 in another process."""
    command = [sys.executable, "-c", HOLD, str(workspaces / "level3")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_command_for_a_stage_that_does_not_run_says_so_at_once() -> None:
    with pytest.raises(StageError, match="level 3 does not run: start it with `make level3`"):
        preflight.command("history", "3")


def test_a_stage_that_runs_is_named_and_never_emptied(other: "subprocess.Popen[str]", workspaces: Path) -> None:
    (workspaces / "level3").mkdir()
    (workspaces / "level3" / "mlflow.db").touch()
    named = f"level3 runs: process {other.pid}, ports 8003: "
    with pytest.raises(StageError, match=named):
        preflight.start("3")
    with pytest.raises(StageError, match=named), running(Stage(3)):
        pytest.fail("it started")
    with pytest.raises(StageError, match=named):
        preflight.clean()
    assert (workspaces / "level3" / "mlflow.db").exists()
    preflight.command("history", "3")


def test_a_stage_that_was_killed_can_be_started_again(other: "subprocess.Popen[str]", workspaces: Path) -> None:
    assert not lock.was_killed(workspaces / "level3")
    other.kill()
    other.wait()
    assert lock.was_killed(workspaces / "level3")
    preflight.clean()
    with lock.held(workspaces / "level3", {}):
        assert lock.holder(workspaces / "level3") == {"process": os.getpid(), "ports": {}}
    assert not lock.was_killed(workspaces / "level3")
    assert not list(workspaces.glob("*.lock"))


def test_all_taken_ports_are_named_with_a_line_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PORTS:
        monkeypatch.delenv(name, raising=False)
    described = {"PORT": free_port(), "MLFLOW_PORT": free_port(), "PREFECT_PORT": free_port()}
    taken = [socket.create_server(("127.0.0.1", described[name])) for name in ("PORT", "PREFECT_PORT")]
    with pytest.raises(StageError) as raised:
        ports.check_free(ports.choose(described, 0), described, 0)
    for name in ("PORT", "PREFECT_PORT"):
        assert f"port {described[name]} ({name})" in str(raised.value)
    assert "(MLFLOW_PORT)" not in str(raised.value)
    command = re.search(r"`make level0 OFFSET=(\d+)`", str(raised.value))
    assert command
    monkeypatch.setenv("OFFSET", command[1])
    ports.check_free(ports.choose(described, 0), described, 0)
    for server in taken:
        server.close()


@pytest.mark.parametrize(
    ("name", "value"), [("OFFSET", "some"), ("OFFSET", "90000"), ("PORT", "x"), ("PORT", "0")]
)
def test_what_is_no_port_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.setenv(name, value)
    with pytest.raises(StageError, match=name):
        ports.choose({"PORT": 8000}, 3)


@pytest.mark.parametrize("number", levels())
def test_ports_are_read_without_yaml_as_with_it(number: int) -> None:
    assert ports.described(ROOT / levels()[number]) == Stage(number).description["ports"]


def test_it_needs_no_packages() -> None:
    command = [sys.executable, "-S", "-m", "shared.stack.preflight", "command", "history", "9"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("there is no level 9")


@pytest.mark.parametrize("number", levels())
def test_a_level_has_the_commands_that_come_with_it_or_below(number: int) -> None:
    main = ROOT / levels()[number] / "__main__.py"
    own = set(re.findall(r"^def (\w+)\(", main.read_text(), re.MULTILINE)) if main.exists() else set()
    shared = {"traffic", "drift", "retrain", "candidate"}  # commands of the project, not of a level
    for name, first in preflight.COMES_WITH.items():
        if name not in shared:
            gone = name in preflight.GONE and number >= preflight.GONE[name][0]
            assert (name in own) == (number >= first and not gone), name


def test_a_command_of_a_later_level_says_which() -> None:
    with pytest.raises(StageError, match="level 2 has no `history`: it comes with level 3"):
        preflight.command("history", "2")
    with pytest.raises(StageError, match="level 4 has no `release`: a version that passes its gates"):
        preflight.command("release", "4")


def test_what_a_command_needs_is_shown(other: "subprocess.Popen[str]") -> None:
    with pytest.raises(StageError, match="`make trace LEVEL=3 FLIGHT=2013-07-01-B6939-JFK`"):
        preflight.command("trace", "3", "FLIGHT=")
    preflight.command("trace", "3", "FLIGHT=2013-07-01-B6939-JFK")


def test_processes_whose_parent_was_killed_end_with_their_stage(tmp_path: Path) -> None:
    workspace = tmp_path / "level1"
    sleeper = "import subprocess; subprocess.Popen(['sleep', '600']); print('started')"
    environment = os.environ | {"STAGE": str(workspace)}
    subprocess.run([sys.executable, "-c", sleeper], env=environment, check=True, stdout=subprocess.DEVNULL)
    assert leftovers.end(tmp_path / "level2") == 0
    assert leftovers.end(workspace) == 1
    assert leftovers.end(workspace) == 0


@pytest.mark.slow
def test_a_killed_supervisor_leaves_nothing_on_the_ports(ports: dict[str, str], workspaces: Path) -> None:
    stage = Stage(1)
    with running(stage):
        stage.wait_until_ready()
        family = stage.family()
        assert stage._processes is not None
        os.kill(stage._processes.pid, signal.SIGKILL)
        wait_for("the death of supervisord", lambda: stage._processes and stage._processes.poll() is not None)
    assert not [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def test_the_second_installer_is_told_what_the_first_one_was(tmp_path: Path) -> None:
    (tmp_path / "show.mk").write_text("show:;@env\n")
    told = {"PIP_INDEX_URL": "https://packages.example/simple", "PIP_CERT": "/ours.pem"}
    command = ["make", "--silent", "-f", "Makefile", "-f", str(tmp_path / "show.mk"), "show"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "SSL_"))}
    for own, expected in (({}, told["PIP_INDEX_URL"]), ({"UV_DEFAULT_INDEX": "own"}, "own")):
        done = subprocess.run(
            command, cwd=ROOT, env=environment | told | own, capture_output=True, text=True, check=True
        )
        assert f"UV_DEFAULT_INDEX={expected}" in done.stdout.splitlines()
        assert "SSL_CERT_FILE=/ours.pem" in done.stdout.splitlines()


def test_another_python_than_that_of_the_environment_is_refused() -> None:
    done = subprocess.run(
        ["make", "help", "PYTHON=/bin/false"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "was made by another Python than PYTHON=/bin/false" in done.stderr

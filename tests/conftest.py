"""What several tests need."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from shared import base
from shared.stack.stage import Stage

ROOT = Path(__file__).resolve().parent.parent
PORTS = ("PORT", "LIVE_PORT", "STAGING_PORT", "EVIDENTLY_PORT", "MLFLOW_PORT", "PREFECT_PORT")
PATIENCE = 60.0  # seconds for anything to happen
YEAR = base.WORKSPACES / "year"  # read from the packaged tables once for all stages, since that takes seconds
# Those that take minutes, the longest first: begun last, one of them would leave the other processors idle.
LONG = (
    "test_same_days",  # on two nodes, of which a later test kills one
    "test_swarm",
    "test_containers",
    "test_delivery",
    "test_docs",
    "test_loop",
    "test_contract",
    "test_contributing",
    "test_exercises",
    "test_matrix",
    "test_whole_pipeline",
    "test_second_use_case",
    "test_own_repository",
    "test_climb",
    "test_create",
    "test_run",
)
# Each worker that runs tests has two hundred ports of its own, below those that clients are given. Where it begins
# differs, since another checkout may be running its tests too.
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
NUMBERS = cycle(20_000 + 200 * WORKER + (os.getpid() + n) % 200 for n in range(200))
# What is started in the background ignores Ctrl-C, and so does all that it starts; the tests send it to stages.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take minutes."""
    order = {name: n for n, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


def first_of_each(items: Sequence[Any], steps: Sequence[str]) -> list[Any]:
    """Return parameters of a test: half an hour has room for the first of each step, FULL=1 for the others too."""
    first = {steps.index(step) for step in steps}
    return [pytest.param(item, marks=() if n in first else pytest.mark.full) for n, item in enumerate(items)]


def commands_in(text: str) -> list[str]:
    """Return the commands in the shell blocks of a document."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def wait_for(what: str, condition: Callable[[], Any]) -> Any:
    """Wait until the condition returns something true, and return that."""
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENCE:.0f} s"
        time.sleep(0.05)
    return result


def free_port() -> int:
    """Return a port of this machine that nothing uses right now, and that is not chosen again soon."""
    while True:
        port = next(NUMBERS)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def answers(address: str) -> bool:
    """Tell whether somebody answers at an address."""
    try:
        return httpx.get(address, timeout=30).is_success
    except httpx.TransportError:
        return False


def version_at(stage: Stage, port: str = "PORT") -> dict[str, Any]:
    """Return what a service says about itself, or nothing while it does not answer."""
    try:
        answer = httpx.get(stage.fill(f"http://127.0.0.1:${{{port}}}/version"), timeout=30)
    except httpx.TransportError:
        return {}
    return dict(answer.json()) if answer.is_success else {}


def run(stage: Stage, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Python in the stage's environment, whatever comes of it."""
    environment = os.environ | stage.environment
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def share_year(workspaces: Path) -> None:
    """Let stages elsewhere find the year where those of this checkout have it."""
    YEAR.mkdir(parents=True, exist_ok=True)
    workspaces.mkdir(exist_ok=True)
    (workspaces / "year").symlink_to(YEAR)


@contextmanager
def elsewhere(workspaces: Path) -> Iterator[pytest.MonkeyPatch]:
    """Let stages work in a folder and on ports of their own, so that a stage of the developer's can go on."""
    share_year(workspaces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "WORKSPACES", workspaces)
        for name in PORTS:
            patch.setenv(name, str(free_port()))
        yield patch


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Choose free ports for every server a stage may have, so that a stage of the developer's can go on."""
    chosen = {name: str(free_port()) for name in PORTS}
    for name, port in chosen.items():
        monkeypatch.setenv(name, port)
    return chosen


@pytest.fixture
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the project as a newcomer has it, with the packages already installed."""
    return copy_project(tmp_path_factory.mktemp("copy") / "project")  # sockets need a short path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Open a browser that reaches nothing but this machine."""
    if not (chromium := shutil.which("chromium")):
        pytest.skip("there is no chromium on this machine")
    with sync_playwright() as playwright:
        alone = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        yield playwright.chromium.launch(executable_path=chromium, args=[alone, "--no-sandbox"])


def copy_project(copy: Path) -> Path:
    """Copy the project as a newcomer has it, with the packages already installed."""
    left_out = shutil.ignore_patterns(".venv*", ".stage", ".cache", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, copy, ignore=left_out, symlinks=True)
    for environment in (".venv", ".venv-serving"):
        os.symlink(ROOT / environment, copy / environment)
    share_year(copy / ".stage")
    return copy

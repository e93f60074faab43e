"""Every command that a document shows is run here, or is the one that runs this."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from string import Template

import httpx
import psutil
import pytest
import yaml
from playwright.sync_api import Browser

from shared.base import levels
from shared.levels import recording
from shared.levels.recording import in_shape

from .conftest import PORTS, ROOT, commands_in, copy_project, free_port
from .new.test_create import SHOWN
from .test_contributing import WALKED

DOCUMENTS = [
    *(
        ROOT / name
        for name in (
            "README.md",
            "CONTRIBUTING.md",
            "docs/architecture.md",
            "docs/fanout.md",
            "docs/house.md",
            "docs/own.md",
            "docs/scale.md",
            "docs/workshop.md",
        )
    ),
    *sorted(ROOT.glob("level*/README.md")),
    *sorted((ROOT / "docs" / "lessons").rglob("*.md")),
]
PAGES = sorted({*DOCUMENTS, *(ROOT / "docs").rglob("*.md")} - set((ROOT / "docs" / "diffs").iterdir()))
STORY = "make simulate LEVEL=1 DAYS=10 INCIDENTS=schema"  # run by tests/simulation/test_run.py
CLUSTER = set(commands_in((ROOT / "docs" / "fanout.md").read_text()))  # from there, by tests/test_cluster.py
RUN_ELSEWHERE = WALKED | {STORY} | SHOWN | CLUSTER
RUNS_THIS = {"make test", "make check", "make test QUICK=1"}
SECONDS = 300.0
STARTED = "started.txt"  # in the checkout: what the start of its stage printed
SECONDS_TO_SETTLE = 3.0  # a page


def commands(document: Path) -> list[str]:
    """Return the commands in a document's shell blocks."""
    return commands_in(document.read_text())


def starts_a_level(command: str) -> bool:
    return bool(re.match(r"make level\d", command))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_make_alone_explains_every_target() -> None:
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE):
        assert f"make {target} " in shown


def test_every_command_is_run_by_a_test() -> None:
    tested = RUNS_THIS | RUN_ELSEWHERE | {command for number in levels() for command in commands(readme(number))}
    for document in DOCUMENTS:
        for command in commands(document):
            assert command in tested or starts_a_level(command), f"{command} in {document} is run by no test"


def readme(number: int) -> Path:
    return ROOT / levels()[number] / "README.md"


# Half an hour has room for the notebook and the level of the main job; the others are started with FULL=1.
@pytest.fixture(
    scope="module",
    params=[pytest.param(n, marks=[pytest.mark.full] if n in (1, 2, 4) else []) for n in sorted(levels())],
)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """Start a level the way its README says, in a copy of the project, and end it with Ctrl-C."""
    number: int = request.param
    checkout = copy_project(tmp_path_factory.mktemp("copy") / "project")
    started = subprocess.Popen(
        ["make", f"level{number}", "DAYS=2"],
        cwd=checkout,
        env=os.environ | {name: str(free_port()) for name in PORTS},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert started.stdout is not None
    printed = recording.until_ready(started.stdout)
    if recording.READY not in printed:
        pytest.fail(printed)
    (checkout / STARTED).write_text(recording.from_the_start(printed))
    family = psutil.Process(started.pid).children(recursive=True)
    yield number, checkout
    os.killpg(started.pid, signal.SIGINT)
    started.wait(timeout=60)
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive, f"Ctrl-C left behind: {alive}"


@pytest.mark.slow
def test_a_start_prints_what_was_recorded(stage: tuple[int, Path]) -> None:
    number, checkout = stage
    recorded = recording.output_of(number, recording.start_of(number))
    assert in_shape((checkout / STARTED).read_text()) == in_shape(recorded)


@pytest.mark.slow
@pytest.mark.full
def test_the_commands_of_the_lessons_print_what_the_lessons_show(stage: tuple[int, Path]) -> None:
    number, checkout = stage
    for command, printed in recording.run_all(number, checkout).items():
        assert in_shape(printed) == in_shape(recording.output_of(number, command)), command


@pytest.mark.slow
def test_the_commands_of_a_level_work_while_it_runs(stage: tuple[int, Path]) -> None:
    number, checkout = stage
    tries = yaml.safe_load((checkout / levels()[number] / "stage.yaml").read_text())["try"]
    just_run, environment = recording.commands_of(number), environment_of(number, checkout)
    filled = [re.sub(r"\$\{(\w+)\}", lambda name: environment[name[1]], command) for command in tries]
    before = ""
    for command in dict.fromkeys([*commands(readme(number)), *filled]):
        if starts_a_level(command) or command.startswith("make test"):
            continue
        if any(command in shown for shown in just_run):
            continue
        if command.startswith(". "):  # what it sets, the commands below it find
            before = f"{command}; "
        done = subprocess.run(
            ["bash", "-c", before + command],
            cwd=checkout,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        no_champion_before = "rollback" in command and "there is no earlier champion" in done.stderr
        assert done.returncode == 0 or no_champion_before, f"{command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"


def environment_of(number: int, checkout: Path) -> dict[str, str]:
    """Return the environment of a running stage, as its commands find it."""
    lines = (checkout / ".stage" / f"level{number}" / "env").read_text().splitlines()
    return {name: value.strip("'") for name, value in (line[len("export ") :].split("=", 1) for line in lines)}


def ports_of(number: int, checkout: Path) -> dict[str, str]:
    """Return the addresses of all servers of a running stage, by the name of their port."""
    environment = environment_of(number, checkout)
    return {name: f"http://127.0.0.1:{port}" for name, port in environment.items() if name.endswith("PORT")}


@pytest.mark.slow
def test_requests_made_up_from_the_openapi_are_answered_as_it_says(stage: tuple[int, Path]) -> None:
    """No error of the server, and no answer that its own description does not allow."""
    address = ports_of(*stage).get("PORT")
    if address is None:
        pytest.skip("this level has no server")
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    program = str(Path(sys.executable).parent / "schemathesis")
    command = [program, "run", f"{address}/openapi.json", "--checks", checks]
    bounded = ["--max-examples", "200", "--seed", "1", "--max-time", "30", "--no-color"]
    done = subprocess.run([*command, *bounded], cwd=stage[1], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


LIBRARY_PAGES = ("", "/docs", "/redoc", "/api/docs", "/schema", "/v2/dashboard")


@pytest.mark.slow
def test_no_page_of_a_server_asks_another_host(stage: tuple[int, Path], browser: Browser) -> None:
    description = yaml.safe_load((stage[1] / levels()[stage[0]] / "stage.yaml").read_text())
    environment, servers = environment_of(*stage), ports_of(*stage).values()
    shown = [Template(address).substitute(environment) for address in description["addresses"].values()]
    shown = [address for address in shown if address.startswith("http")]
    for address in [*shown, *(server + path for server in servers for path in LIBRARY_PAGES)]:
        text, asked = visit(browser, address, shows=address in shown)
        elsewhere = [url for url in asked if not url.startswith(("http://127.0.0.1:", "data:", "blob:"))]
        assert not elsewhere, f"{address} asks {elsewhere}"
        assert text.strip() or address not in shown, f"{address} shows nothing"


def visit(browser: Browser, address: str, shows: bool) -> tuple[str, list[str]]:
    """Open a page until it `shows` something and asks no more; return its text, and all that left the browser."""
    page, asked, kept, before = browser.new_page(), list[str](), list[str](), -1
    page.on("request", lambda request: asked.append(request.url))
    # By the policy that came with the page.
    page.on("requestfailed", lambda request: kept.append(request.url) if request.failure == "csp" else None)
    page.goto(address)
    if shows:
        page.wait_for_function("document.body.innerText.trim().length > 0")
    deadline = time.monotonic() + SECONDS_TO_SETTLE  # some pages ask for news for ever
    while len(asked) > before and time.monotonic() < deadline:
        before = len(asked)
        page.wait_for_timeout(500)
    text = page.inner_text("body")
    page.close()
    return text, [url for url in asked if url not in kept]


FOREIGN = [{"Origin": "https://example.com"}, {"Origin": "null"}, {"Host": "example.com"}]
OPEN_TO_ALL = {"PORT", "STAGING_PORT"}  # what everybody may ask; what they answer about a flight is no secret


@pytest.mark.slow
@pytest.mark.parametrize("foreign", FOREIGN, ids=str)
def test_no_server_takes_orders_from_a_page_from_elsewhere(
    stage: tuple[int, Path], foreign: dict[str, str]
) -> None:
    """A page that somebody has open asks with its own origin, or with a name that was made to lead here."""
    orders = {
        "MLFLOW_PORT": "/api/2.0/mlflow/experiments/create",
        "PREFECT_PORT": "/api/flow_runs/filter",
        "EVIDENTLY_PORT": "/api/projects",
    }
    for name, address in ports_of(*stage).items():
        if name in OPEN_TO_ALL:
            answer = httpx.get(f"{address}/version", headers=foreign)
            assert "access-control-allow-origin" not in answer.headers  # so a page cannot read it
            plain = foreign | {"content-type": "text/plain"}  # which a page may send without asking first
            assert httpx.post(f"{address}/predict", content='{"flights": []}', headers=plain).status_code == 422
        else:
            plain = foreign | {"content-type": "text/plain"}
            order = httpx.post(f"{address}{orders[name]}", content='{"name": "theirs"}', headers=plain)
            assert order.status_code in (403, 400, 415), (name, order.status_code, order.text[:200])
            read = httpx.get(address, headers=foreign, follow_redirects=True)
            allowed = read.headers.get("access-control-allow-origin")
            assert read.status_code == 403 or allowed is None, (name, read.status_code, allowed)


@pytest.mark.slow
def test_a_taken_port_is_named_with_what_changes_it(checkout: Path, ports: dict[str, str]) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(ports["PORT"])))
        taken.listen()
        done = subprocess.run(
            ["make", "level1", "ONCE=1"], cwd=checkout, capture_output=True, text=True, check=False
        )
    assert done.returncode != 0
    assert f"port {ports['PORT']} (PORT)" in done.stderr
    assert "make level1 OFFSET=" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["FROM=yesterday"], "write it like 2013-03-01"),
        (["FROM=2013-12-30", "DAYS=7"], "do not fit"),
        (["FROM=2013-01-02"], "choose FROM from"),
        (["DAYS=0"], "do not fit"),
    ],
)
def test_days_that_cannot_be_played_are_explained(arguments: list[str], message: str) -> None:
    done = subprocess.run(["make", "level0", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr


def test_no_stage_to_act_on_is_explained() -> None:
    done = subprocess.run(["make", "release", "LEVEL=9"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "there is no level 9" in done.stderr

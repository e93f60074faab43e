"""The live page of a real stage in a real browser: it shows the days, and its button plays on."""

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, expect

from ..conftest import PORTS, answers, copy_project, free_port, wait_for

UNDER_TEST = "PYTEST_CURRENT_TEST", "PYTEST_VERSION"  # with these, NiceGUI serves its own test client
SECONDS = 120_000.0  # thousandths of one, for a day to be played


@dataclass(frozen=True)
class Live:
    """A stage with its page."""

    address: str
    checkout: Path


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Start the level that starts fastest; end it with Ctrl-C, which ends the page too."""
    checkout: Path = copy_project(tmp_path_factory.mktemp("copy") / "project")
    ports = {name: str(free_port()) for name in PORTS}
    started = subprocess.Popen(
        ["make", "level0", "DAYS=2"],
        cwd=checkout,
        env={name: value for name, value in os.environ.items() if name not in UNDER_TEST} | ports,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert started.stdout is not None
    family: list[psutil.Process] = []
    try:
        assert any("Serving until Ctrl-C" in line for line in started.stdout)
        page = f"http://127.0.0.1:{ports['LIVE_PORT']}"
        wait_for("the live page", lambda: answers(page))
        family += psutil.Process(started.pid).children(recursive=True)
        yield Live(page, checkout)
    finally:
        os.killpg(started.pid, signal.SIGINT)
        started.wait(timeout=60)
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive, f"Ctrl-C left behind: {alive}"


@pytest.mark.slow
def test_trouble_is_planted_with_a_button_and_shown(browser: Browser, live: Live) -> None:
    page, hosts, errors = browser.new_page(), set[str](), list[str]()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(live.address)
    expect(page.get_by_role("heading")).to_contain_text("level 0 · 2013-")
    before = page.get_by_role("heading").inner_text()
    expect(page.get_by_role("alert")).to_be_hidden()
    page.get_by_label("trouble in the feed").click()
    page.get_by_role("option", name="temperatures are published in °C").click()
    page.get_by_label("days").fill("1")
    page.get_by_role("button", name="play").click()
    expect(page.get_by_role("alert")).to_have_text("temperatures are published in °C", timeout=SECONDS)
    expect(page.get_by_role("heading")).not_to_have_text(before)
    expect(page.get_by_text("waiting")).to_be_visible(timeout=SECONDS)
    assert errors == []
    assert hosts == {live.address.removeprefix("http://")}


@pytest.mark.slow
@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"origin": "http://evil.example"}])
def test_a_page_from_elsewhere_gets_nothing(live: Live, headers: dict[str, str]) -> None:
    assert httpx.get(live.address, headers=headers).status_code == 403
    socket = f"{live.address}/_nicegui_ws/socket.io/?EIO=4&transport=polling"
    assert httpx.get(socket).status_code == 200
    assert httpx.get(socket, headers=headers).status_code == 403


@pytest.mark.slow
def test_why_nothing_can_be_played_is_shown(browser: Browser, live: Live) -> None:
    last_day = live.checkout / ".stage/level0/last_day"
    last_day.rename(last_day.with_suffix(".away"))
    try:
        page = browser.new_page()
        page.goto(live.address)
        page.get_by_role("button", name="play").click()
        expect(page.get_by_text("no day has been played in this stage yet")).to_be_visible(timeout=SECONDS)
    finally:
        last_day.with_suffix(".away").rename(last_day)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_in_light_and_dark(browser: Browser, live: Live, scheme: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(live.address)
    expect(page.get_by_role("heading")).to_contain_text("level 0")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    dark = page.evaluate("document.body.classList.contains('body--dark')")
    assert dark is (scheme == "dark")

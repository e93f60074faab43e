"""The film in the README: the live page of level 4, a picture a day, written to docs/live.gif.

Level 4 plays its days, and then two more with temperatures in °C, planted with the button of the page. Needs the
chromium of this machine, and takes minutes.
"""

import io
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
from PIL import Image
from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from shared.base import ROOT, StageError
from shared.stack import ports

LEVEL, DAYS, TROUBLED = 4, 18, 2
SIZE: ViewportSize = {"width": 540, "height": 900}  # so that it can be read on a phone too
SECONDS_A_DAY, COLOURS = 1.4, 64
SECONDS_TO_START = 60.0
PATIENCE = 300_000.0  # thousandths of a second, for the next day
FILM = ROOT / "docs" / "live.gif"


def main() -> None:
    """Film the page, and write the film."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise StageError("this needs a chromium: install one")
    with playing() as address, sync_playwright() as driver:
        page = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"]).new_page(viewport=SIZE)
        page.goto(address)
        pictures = [picture(page) for _ in days_of(page, DAYS)]
        expect(page.get_by_text("waiting")).to_be_visible(timeout=PATIENCE)
        page.get_by_label("trouble in the feed").click()
        page.get_by_role("option", name="temperatures are published in °C").click()
        page.get_by_label("days").fill(str(TROUBLED))
        page.get_by_role("button", name="play").click()
        pictures += [picture(page) for _ in days_of(page, TROUBLED)]
    colours = pictures[-1].quantize(COLOURS)  # the same for all: then a picture holds only what has changed
    first, *others = [each.quantize(palette=colours, dither=Image.Dither.NONE) for each in pictures]
    first.save(
        FILM, save_all=True, append_images=others, duration=int(1000 * SECONDS_A_DAY), loop=0, optimize=True
    )
    print(f"{FILM.relative_to(ROOT)}: {len(pictures)} pictures, {FILM.stat().st_size / 2**10:.0f} KB")


def days_of(page: Page, count: int) -> Iterator[str]:
    """Yield each day as soon as the page shows it."""
    heading = page.get_by_role("heading")
    for _ in range(count):
        before = heading.inner_text()
        expect(heading).not_to_have_text(before, timeout=PATIENCE)
        page.wait_for_timeout(300)  # the charts are drawn
        yield heading.inner_text()


def picture(page: Page) -> Image.Image:
    """Return what the top of the page shows."""
    page.evaluate("scrollTo(0, 0)")
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


@contextmanager
def playing() -> Iterator[str]:
    """Play the level while this is entered; yield the address of its page, once it answers."""
    address = f"http://127.0.0.1:{ports.choose(ports.LIVE, LEVEL)['LIVE_PORT']}"
    command = ["make", f"level{LEVEL}", f"DAYS={DAYS}"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True) as stage:
        try:
            assert stage.stdout is not None  # noqa: S101 - it is piped
            if not any("collected" in line for line in stage.stdout) or not wait_until_answers(address):
                raise StageError(f"level {LEVEL} did not come up: try make level{LEVEL}")
            yield address
        finally:
            os.killpg(stage.pid, signal.SIGTERM)
            stage.communicate()


def wait_until_answers(address: str) -> bool:
    """Wait for the page; tell whether it came."""
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            return httpx.get(address).is_success
        time.sleep(0.1)
    return False


if __name__ == "__main__":
    main()

"""Sheets and slides, in a real browser: a sheet is one page of paper, and nothing on a slide is cut off."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from shared.levels.lessons import read_lessons
from shared.levels.teaching import FOLDER, documents

from ..conftest import ROOT

PAGES = [ROOT / path for path in documents(read_lessons())]
SHEETS = [page for page in PAGES if page.name.startswith("level")]
SLIDES = [page for page in PAGES if page.name.startswith("step")]
OVERFLOW = """[...document.querySelectorAll("section, pre")]
    .filter(each => each.scrollHeight > each.clientHeight + 1 || each.scrollWidth > each.clientWidth + 1)
    .map(each => each.innerText.slice(0, 100))"""


def opened(browser: Browser, path: Path) -> Page:
    """Open a page as a file at the size of a projector; it asks nobody for anything, and has no error."""
    page, asked, errors = browser.new_page(viewport={"width": 1280, "height": 720}), list[str](), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    assert asked == [path.as_uri()]
    assert errors == []
    return page


def test_there_is_a_sheet_for_each_level_and_slides_for_each_step() -> None:
    names = [page.stem for page in SHEETS + SLIDES]
    assert names == [*(f"level{n}" for n in range(5)), "step0-1", "step1-2", "step2-3", "step3-4"]
    assert {path.name for path in (ROOT / FOLDER).iterdir()} == {page.name for page in PAGES}


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.stem)
def test_a_sheet_says_what_its_level_adds_and_lacks(path: Path) -> None:
    text = path.read_text()
    for part in ("What is new", "What people still do", "What is still missing"):
        _, _, rest = text.partition(f"<h2>{part}</h2>")
        assert rest.partition("</section>")[0].strip(), part


@pytest.mark.slow
@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.stem)
def test_a_sheet_is_one_page_of_paper(browser: Browser, path: Path) -> None:
    printed = opened(browser, path).pdf(prefer_css_page_size=True)
    assert printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") == 1


@pytest.mark.slow
@pytest.mark.parametrize("path", SLIDES, ids=lambda path: path.stem)
def test_nothing_on_a_slide_is_cut_off_and_keys_turn_the_pages(browser: Browser, path: Path) -> None:
    page = opened(browser, path)
    assert page.evaluate(OVERFLOW) == []
    page.keyboard.press("ArrowRight")
    page.wait_for_function("Math.round(scrollY / innerHeight) === 1")
    page.keyboard.press("PageUp")
    page.wait_for_function("scrollY === 0")

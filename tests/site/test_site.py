"""The built site, behind a plain server and in a real browser that reaches nothing else."""

import re
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from shared import base
from shared.assessment.criteria.criteria import read_criteria
from shared.site import build

pytestmark = pytest.mark.slow
SOURCE = re.compile(r"\.\w+\.html$")  # the page of a file that is no document
PHONE = {"width": 390, "height": 800}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Build the site over an older one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "WORKSPACES", tmp_path_factory.mktemp("stage"))
        (base.WORKSPACES / "site").mkdir()
        (base.WORKSPACES / "site" / "stale.html").touch()
        yield build.build()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """Open a page that fails the test if it logs an error, or asks for anything from elsewhere."""
    page, wrong = browser.new_page(base_url=address), list[str]()
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    page.on("console", lambda message: wrong.append(f"{page.url}: {message.text}") if is_error(message) else None)
    page.on("request", lambda request: wrong.append(request.url) if is_foreign(request.url, address) else None)
    yield page
    page.close()
    assert wrong == []


def is_error(message: ConsoleMessage) -> bool:
    """Tell whether a message is an error; a browser asks for an icon by itself where a page names none."""
    return message.type == "error" and not message.location["url"].endswith("/favicon.ico")


def is_foreign(url: str, address: str) -> bool:
    return not url.startswith((f"{address}/", "data:", "blob:"))


class Links(HTMLParser):
    """Collects what a page leads to, and the names that can be led to in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.targets, self.names = list[str](), set[str]()
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if value and name in ("href", "src"):
                self.targets.append(value)
            if value and name in ("id", "name"):
                self.names.add(value)


def test_no_link_is_dead(site: Path) -> None:
    pages = {path: Links(path) for path in site.rglob("*.html")}
    dead = [
        f"{path.relative_to(site)}: {target}"
        for path, links in pages.items()
        for target in links.targets
        if not leads_somewhere(target, path, site, pages)
    ]
    assert dead == []


def leads_somewhere(target: str, path: Path, site: Path, pages: dict[Path, Links]) -> bool:
    url = urlsplit(target)
    if url.scheme or url.netloc:
        return True
    to = (site if url.path.startswith("/") else path.parent).joinpath(unquote(url.path).lstrip("/")).resolve()
    to = path if not url.path else to / "index.html" if to.is_dir() else to
    return to.exists() and (not url.fragment or to not in pages or unquote(url.fragment) in pages[to].names)


def test_nothing_is_left_of_the_site_before(site: Path) -> None:
    assert not (site / "stale.html").exists()
    assert [path.name for path in site.parent.iterdir()] == ["site"]


def test_every_document_opens_on_a_phone_with_its_pictures(site: Path, page: Page) -> None:
    """And one page of each kind of file that is shown."""
    pages = sorted(site.rglob("*.html"))
    kinds = {SOURCE.search(path.name)[0]: path for path in pages if SOURCE.search(path.name)}  # type: ignore[index]
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    wide = list[str]()
    for path in [*(path for path in pages if not SOURCE.search(path.name)), *kinds.values()]:
        answer = page.goto(f"/{path.relative_to(site)}")
        assert answer
        assert answer.ok, path
        page.wait_for_function("!document.querySelector('pre.mermaid')")
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(str(path.relative_to(site)))
    assert wide == []


def test_search_finds_a_word_in_the_documents_and_not_in_the_code(page: Page) -> None:
    page.goto("/docs/house.html")
    page.get_by_role("button", name="Search").click()
    page.get_by_placeholder("Search").fill("golden")
    found = page.locator("a:has(mark)")
    found.first.wait_for()
    paths = {urlsplit(link.get_attribute("href") or "").path for link in found.all()}
    assert any(path.startswith("/docs/steps/2-3/") for path in paths), paths
    assert not any(path.startswith("/docs/diffs/") or SOURCE.search(path) for path in paths), paths


def test_charts_take_the_place_of_the_scoreboards_pictures(page: Page) -> None:
    page.goto("/docs/scoreboard.html")
    charts = page.locator(".js-plotly-plot")
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot').length === 2")
    assert page.locator("article img").count() == 0
    assert charts.first.locator(".legend .traces").all_text_contents() == [f"level {n}" for n in (0, 2, 3, 4)]
    shown = "document.querySelector('.js-plotly-plot').data.filter(trace => trace.visible === 'legendonly').length"
    charts.first.locator(".legendtoggle").last.click()
    page.wait_for_function(f"{shown} === 4")  # the line of level 4 and its band, in both years


def test_filters_hide_the_claims_that_do_not_match(page: Page) -> None:
    page.goto("/docs/matrix.html")
    rows, counted = page.locator("article table").first.locator("tbody tr:visible"), page.locator("output")
    counted.wait_for()
    every = rows.count()
    assert counted.inner_text() == f"{every} of {every} claims"
    page.get_by_placeholder("Filter the claims").fill("certificate")
    assert 0 < rows.count() < every
    assert all("certificate" in text for text in rows.all_inner_texts())
    page.get_by_placeholder("Filter the claims").fill("")
    page.get_by_label("at any level").select_option("level 2")
    page.get_by_label("every answer").select_option("by people")
    assert {row.split("\t")[4] for row in rows.all_inner_texts()} == {"by people"}
    page.get_by_label("every answer").select_option("every answer")
    page.get_by_label("every model").select_option("Microsoft's maturity model")
    page.get_by_label("every area").select_option("management")
    ids = [row.split("\t")[0] for row in rows.all_inner_texts()]
    asked = [name for name, each in read_criteria().items() if each.of("MS") and each.gigaom == "management"]
    assert ids == asked
    assert counted.inner_text() == f"{len(asked)} of {every} claims"


def test_the_button_makes_the_page_dark(page: Page) -> None:
    page.goto("/index.html")
    scheme = "document.body.getAttribute('data-md-color-scheme')"
    assert page.evaluate(scheme) == "default"
    page.get_by_title("Switch to dark mode").click()
    page.wait_for_function(f"{scheme} === 'slate'")
    page.goto("/docs/house.html")
    assert page.evaluate(scheme) == "slate"

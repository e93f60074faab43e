"""The benchmark of speed: what it measures is what the server did, and its page says no figure of its own."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from benchmarks import speed_page
from benchmarks.peers import Server
from benchmarks.speed import Load
from shared.base import ROOT, StageError


class Handler(BaseHTTPRequestHandler):
    """Answers and remembers; at /broken it fails."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[int]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.asked.append(len(json.loads(body)["flights"]))
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.slow
def test_a_load_counts_the_requests_that_were_answered(port: int, tmp_path: Path) -> None:
    Handler.asked.clear()
    measured = Load(tmp_path).put(Server("a server", port), size=100, clients=2, seconds=1)
    assert set(Handler.asked) == {100}
    assert measured.requests_per_second > 0
    assert 0 < measured.p50_ms <= measured.p99_ms
    assert measured.processor_ms > 0


@pytest.mark.slow
def test_a_server_that_fails_is_named(port: int, tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"a server failed: .*500"):
        Load(tmp_path).put(Server("a server", port, "/broken"), size=1, clients=1, seconds=1)


def test_the_page_says_what_was_measured() -> None:
    results = json.loads((ROOT / "docs" / "speed.json").read_text())
    assert speed_page.page(results) == (ROOT / "docs" / "speed.md").read_text()

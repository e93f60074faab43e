"""The benchmark of replicas: what clients were told is counted right, and the page says what was measured."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import clients
from benchmarks.replicas import found, page, plot
from benchmarks.replicas.__main__ import merged
from shared.base import ROOT

ANSWER = json.dumps({"predictions": [{"model": "a model"}]}).encode()


class Handler(BaseHTTPRequestHandler):
    """Answers the first client with 503, says nothing to the second, and answers the others."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        flight = json.loads(self.rfile.read(int(self.headers["content-length"])))["flights"][0]["flight_id"]
        if flight.startswith("name-1-"):
            self.close_connection = True
            return
        self.send_response(503 if flight.startswith("name-0-") else 200)
        self.send_header("content-length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def asked(requests: int) -> Iterator[clients.Traffic]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        stage: Any = SimpleNamespace(environment={"PORT": server.server_port})
        try:
            with clients.asking(stage, "name", {"origin": "EWR"}, requests) as traffic:
                yield traffic
        finally:
            server.shutdown()
            thread.join()


def test_what_was_refused_is_counted_apart_from_what_failed() -> None:
    with asked(50) as traffic:
        pass
    summary = traffic.summary()
    assert summary["answered"] >= 50
    assert set(summary["failed"]) == {"503", "RemoteProtocolError"}
    assert traffic.models == {"a model"}
    assert not [flight for flight in traffic.answered if flight.startswith(("name-0-", "name-1-"))]


def test_clients_go_on_until_the_change_is_done_and_end_with_it_if_it_fails() -> None:
    with asked(1) as traffic:
        traffic.go_on(20)
        assert not traffic.over.is_set()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), asked(10_000_000):
        raise KeyboardInterrupt
    assert time.monotonic() - began < 2


def test_gap_slowest_answer_and_first_answer_after_something_are_those_of_all_clients() -> None:
    traffic = clients.Traffic("http://nobody", "name", {})
    traffic.began, traffic.ended = 100.0, 110.0
    traffic.answered = {"a": (101.0, 0.5), "b": (108.0, 2.0), "c": (103.0, 0.1)}
    traffic.failed = [(105.0, "503", "no"), (106.0, "503", "no"), (107.0, "ReadError", "gone")]
    summary = traffic.summary()
    assert (summary["longest_gap"], summary["slowest_answer"], summary["seconds"]) == (5.0, 2.0, 10.0)
    assert summary["failed"] == {"503": 2, "ReadError": 1}
    assert traffic.first_answer_after(104.0) == 4.0
    assert traffic.first_answer_after(109.0) is None


def test_new_figures_leave_the_others_as_they_were() -> None:
    before = {"replicas": {"1": {"requests_a_second": 1}, "2": {"requests_a_second": 2}}, "log": {}}
    new = {"replicas": {"1": {"requests_a_second": 3}}}
    assert merged(before, new) == {
        "replicas": {"1": {"requests_a_second": 3}, "2": {"requests_a_second": 2}},
        "log": {},
    }


NOTICED = {"answered": 10_000, "failed": {"503": 70, "ReadError": 2}, "missing": 3, "seconds": 50.0}
NOTICED |= {"slowest_answer": 1.5, "longest_gap": 31.0, "change_seconds": 40.0}


def test_a_refusal_is_no_failure_and_the_page_says_both_first() -> None:
    figures = {"troubles": {"level 3": {"a trouble": NOTICED}, "level 4": {"a trouble": NOTICED}}}
    text = page.page(figures)
    words = " ".join(text.split())
    assert (
        "In 2 troubles 20,000 requests were answered. 140 were refused with 503, 4 failed otherwise, and 6"
        in words
    )
    assert "| level 3 | a trouble | 10,000 | 70 | 2 | 3 | 50 | 1.5 | 31.0 |" in text


def test_the_page_names_what_was_not_measured() -> None:
    assert page.page({}).count(found.NOT_YET) == 4
    plot.draw({})


def test_the_page_says_what_was_measured() -> None:
    results = json.loads((ROOT / "docs" / "replicas.json").read_text())
    assert page.page(results) == (ROOT / "docs" / "replicas.md").read_text()

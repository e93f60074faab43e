"""Waiting for what a day's work needs, with a small server in its place."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ...operations import readiness


class Server(ThreadingHTTPServer):
    """Answers every path, but for one that it refuses a few times before."""

    starting, refusals = "", 0

    def __init__(self) -> None:
        class Answer(BaseHTTPRequestHandler):
            server: Server

            def do_GET(self) -> None:
                refused = self.path == self.server.starting and self.server.refusals > 0
                self.server.refusals -= refused
                self.send_response(503 if refused else 200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Answer)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with Server() as server:
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{address}/mlflow")
        monkeypatch.setenv("PREFECT_API_URL", f"{address}/prefect")
        monkeypatch.setenv("APPLICATION", f"{address}/application")
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("starting", ["/mlflow/health", "/prefect/health", "/application/healthz"])
def test_whoever_is_still_starting_is_waited_for(server: Server, starting: str) -> None:
    server.starting, server.refusals = starting, 2
    readiness.wait_for_servers()
    assert server.refusals == 0


@pytest.mark.parametrize("starting", ["/mlflow/health", "/prefect/health", "/application/healthz"])
def test_whoever_does_not_come_is_named(server: Server, starting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server.starting, server.refusals = starting, 1_000
    monkeypatch.setattr(readiness, "SECONDS_TO_START", 0.2)
    with pytest.raises(readiness.NoServerError, match=f"{starting} does not answer"):
        readiness.wait_for_servers()

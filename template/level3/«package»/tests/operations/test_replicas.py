"""Asking every replica of a service, with two small servers in their place."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from ...operations.replicas import ask

HOSTS = "127.0.0.1", "127.0.0.2"


class Echo(BaseHTTPRequestHandler):
    """Answers with the address that it was asked at, and the path."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.connection.getsockname()[0]}{self.path}".encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Serve at two addresses that one name stands for."""
    first = ThreadingHTTPServer((HOSTS[0], 0), Echo)
    with first, ThreadingHTTPServer((HOSTS[1], first.server_port), Echo) as second:
        for server in (first, second):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        app = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, first.server_port)) for host in HOSTS]
        real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", lambda host, *of: app if host == "app" else real(host, *of))
        yield first.server_port
        first.shutdown()
        second.shutdown()


def test_each_replica_answers(port: int) -> None:
    answers = [answer.text for answer in ask(f"http://app:{port}", "/version")]
    assert answers == [f"{host}/version" for host in HOSTS]


def test_a_service_that_is_away_is_named() -> None:
    with pytest.raises(httpx.HTTPError):
        ask("http://127.0.0.1:1", "/version")
    with pytest.raises(httpx.HTTPError, match="nowhere"):
        ask("http://nowhere.invalid:1", "/version")


def test_a_proxy_is_not_asked_for_replicas(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert len(ask(f"http://app:{port}", "/")) == 2

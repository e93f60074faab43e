"""A client that stops in the middle of a request, against a real server."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from ...serving.app import app
from ...serving.body_timeout import BodyTimeout

SECONDS = 0.5
HEAD = b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
HEAD += b"connection: close\r\ncontent-length: %d\r\n\r\n"  # or the server would wait for another request


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Serve the application with a short patience; yield the port."""
    config = uvicorn.Config(BodyTimeout(app, SECONDS), host="127.0.0.1", port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


def send(port: int, parts: list[bytes], pause: float) -> bytes:
    """Send the parts of a request with pauses between; return all that is answered until the server hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
        return answer


def test_half_a_body_is_not_waited_for_without_end(port: int) -> None:
    answer = send(port, [HEAD % 100, b'{"instances": ['], pause=0)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"the body did not come within" in answer


def test_a_slow_body_that_goes_on_coming_is_read(port: int) -> None:
    body = b'{"instances": []}'
    answer = send(port, [HEAD % len(body), *(body[n : n + 3] for n in range(0, len(body), 3))], SECONDS / 2)
    assert answer.startswith(b"HTTP/1.1 422 ")

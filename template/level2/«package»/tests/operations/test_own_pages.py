"""Who may ask a server of the stage: its own pages and programs, and no page from elsewhere."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from ...operations.own_pages import OwnPagesOnly, own_hosts

FOREIGN = [
    {"host": "127.0.0.1:4203", "origin": "https://example.com"},
    {"host": "127.0.0.1:4203", "origin": "http://127.0.0.1:9999"},  # another server of this machine
    {"host": "127.0.0.1:4203", "origin": "null"},  # a page in a frame, or a file
    {"host": "example.com"},  # a name that was made to lead here
    {"host": "example.com:4203", "origin": "http://example.com:4203"},
    {"host": "127.0.0.1.example.com"},
    {"host": ""},
]
OWN = [
    {"host": "127.0.0.1:4203"},
    {"host": "localhost:4203", "origin": "http://localhost:4203"},
    {"host": "127.0.0.1"},
    {"host": "[::1]:4203"},
    {"host": "prefect:4200"},
]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """Return a client of a server whose other name is `prefect`."""

    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("welcome")
        await socket.close()

    answer = Route("/", lambda _: PlainTextResponse("welcome"), methods=["GET", "POST", "DELETE"])
    monkeypatch.setenv("HOSTS", "prefect")
    return TestClient(OwnPagesOnly(Starlette(routes=[answer, WebSocketRoute("/in", talk)]), own_hosts()))


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_page_from_elsewhere_reads_and_orders_nothing(
    client: TestClient, headers: dict[str, str], method: str
) -> None:
    answer = client.request(method, "/", headers=headers)
    assert answer.status_code == 403
    assert "welcome" not in answer.text


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_page_from_elsewhere_opens_no_socket(client: TestClient, headers: dict[str, str]) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/in", headers=headers):
        pass


def test_a_page_is_told_to_ask_no_other_server(client: TestClient) -> None:
    policy = client.get("/", headers=OWN[0]).headers["content-security-policy"]
    assert policy.startswith("default-src 'self'")
    assert "http" not in policy


@pytest.mark.parametrize("headers", OWN)
def test_programs_and_own_pages_are_answered(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/", headers=headers).text == "welcome"
    with client.websocket_connect("/in", headers=headers) as socket:
        assert socket.receive_text() == "welcome"

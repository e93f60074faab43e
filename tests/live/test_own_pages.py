"""A page from elsewhere can neither read the live page nor press its buttons."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from shared.live.own_pages import OwnPagesOnly

OWN = {"host": "127.0.0.1:8304"}


async def talk(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")


def page(_: Any) -> PlainTextResponse:
    return PlainTextResponse("the page")


CLIENT = TestClient(OwnPagesOnly(Starlette(routes=[Route("/", page), WebSocketRoute("/talk", talk)])))


@pytest.mark.parametrize("headers", [OWN, OWN | {"origin": "http://127.0.0.1:8304"}, {"host": "localhost:8304"}])
def test_its_own_page_may_ask(headers: dict[str, str]) -> None:
    assert CLIENT.get("/", headers=headers).text == "the page"
    with CLIENT.websocket_connect("/talk", headers=headers) as socket:
        assert socket.receive_text() == "hello"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example:8304"},  # a name that was made to lead here
        OWN | {"origin": "http://evil.example"},
        OWN | {"origin": "http://127.0.0.1:9999"},  # another server of this machine
        OWN | {"origin": "null"},
    ],
)
def test_no_other_page_may(headers: dict[str, str]) -> None:
    assert CLIENT.get("/", headers=headers).status_code == 403
    with pytest.raises(WebSocketDisconnect), CLIENT.websocket_connect("/talk", headers=headers):
        pass

"""For the people of this machine: a page from elsewhere that one of them has open can press no button here."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
HOSTS = ["127.0.0.1", "localhost"]


class OwnPagesOnly:
    """Refuses what a browser asks under another name (`Host`) or from another page (`Origin`)."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403, or let the page answer."""
        if scope["type"] not in ("http", "websocket") or is_welcome(Headers(scope=scope)):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await PlainTextResponse("only pages of this server may ask\n", 403)(scope, receive, send)


def is_welcome(headers: Headers) -> bool:
    """Tell whether a request comes from this machine's own page, or from no page."""
    host, origin = headers.get("host", ""), headers.get("origin")
    return host.partition(":")[0] in HOSTS and origin in (None, f"http://{host}")

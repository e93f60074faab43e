"""Servers for the people of this machine: a page from elsewhere that one of them has open gets nothing here.

A browser names the page that asks (`Origin`) in everything that can change something. A page whose own name was
made to lead here (DNS rebinding) is known by the name that it asks for (`Host`). And pages from here ask nobody
else: some bring scripts that report how they are used.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

POLICY = (
    b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    b"frame-ancestors 'self'; form-action 'self'; base-uri 'self'"
)
HOSTS = "127.0.0.1,localhost,[::1]"


def own_hosts() -> list[str]:
    """Return the names by which the servers of this stage are asked; HOSTS adds some, separated by commas."""
    return [*HOSTS.split(","), *filter(None, os.environ.get("HOSTS", "").split(","))]


def with_policy(send: Send) -> Send:
    """Return what sends the same, with the policy in the head of each response."""

    async def send_with_policy(message: Any) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), (b"content-security-policy", POLICY)]
        await send(message)

    return send_with_policy


class OwnPagesOnly:
    """Refuses what comes by another name or from another page, and lets its own pages ask no other server."""

    def __init__(self, app: Callable[..., Awaitable[None]], hosts: list[str]) -> None:
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403, or let the server answer."""
        if scope["type"] not in ("http", "websocket") or self._is_welcome(Headers(scope=scope)):
            await self.app(scope, receive, with_policy(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await PlainTextResponse("only pages of this server may ask\n", 403)(scope, receive, send)

    def _is_welcome(self, headers: Headers) -> bool:
        host, origin = headers.get("host", ""), headers.get("origin")
        name = urlsplit(f"//{host}").netloc.rpartition("@")[2]
        name = name[: name.rindex(":")] if name.rpartition("]")[2].count(":") else name
        return name in self.hosts and origin in (None, f"http://{host}", f"https://{host}")

"""Requests whose body stops coming: without a limit, each would keep its connection for ever."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class BodyTimeout:
    """Waits a limited time for each part of a body, and answers 408 if it does not come."""

    def __init__(self, app: Callable[..., Awaitable[None]], seconds: float) -> None:
        self.app, self.seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application read the body in time."""
        complete = scope["type"] != "http"

        async def receive_in_time() -> Message:
            nonlocal complete
            if complete:  # what comes now is that the client has left
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), self.seconds)
            except TimeoutError:
                raise HTTPException(408, f"the body did not come within {self.seconds:.0f} s") from None
            complete = not message.get("more_body", False)
            return message

        await self.app(scope, receive_in_time, send)

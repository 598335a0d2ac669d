"""How long a request's body may be. FastAPI reads and parses a body of any length before a route sees it."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ectopy.service.limits import MIB, size

MAX_BODY = MIB


class BoundedBodies:
    """ASGI middleware that refuses bodies over `MAX_BODY`, on all paths but one whose route counts for itself."""

    def __init__(self, app: ASGIApp, but: str):
        self._app, self._but = app, but

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == self._but:
            await self._app(scope, receive, send)
            return
        announced, got = Headers(scope=scope).get("content-length", ""), 0

        async def counted() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > MAX_BODY or (announced.isdecimal() and int(announced) > MAX_BODY):
                # raised where the body is read: there it is answered as every other error
                raise HTTPException(413, f"body larger than {size(MAX_BODY)}; send it in parts")
            return message

        await self._app(scope, counted, send)

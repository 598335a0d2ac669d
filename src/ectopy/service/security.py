"""Who may ask: programs on this machine, and pages of this machine. Nobody signs in yet.

A page of another site could have the browser ask for it, or give its own name to this machine's address: so the names
in `Host` and `Origin` must be this machine's. A page opens a WebSocket with a ticket, as browsers let it send no
header; a refused one is accepted and closed with a code, so that the page can tell why.
"""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ectopy.service.errors import shortened
from ectopy.service.settings import LOOPBACK
from ectopy.wire import Ticket

REFUSED = 4403
TICKET = "ectopy.ticket."
_TICKET_S = 30.0
_TICKETS = 1000  # that may be open


class Tickets:
    """Each good once, for 30 s."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def give(self) -> Ticket:
        now = time.monotonic()
        self._until = {ticket: until for ticket, until in self._until.items() if until > now}
        while len(self._until) >= _TICKETS:  # the oldest first
            del self._until[next(iter(self._until))]
        ticket = secrets.token_urlsafe(24)
        self._until[ticket] = now + _TICKET_S
        return Ticket(ticket=ticket, expires_at=datetime.fromtimestamp(time.time() + _TICKET_S, UTC))

    def take(self, ticket: str) -> bool:
        """Whether it is good; it is no longer."""
        return self._until.pop(ticket, 0.0) > time.monotonic()


class OnlyThisMachine:
    """ASGI middleware that refuses other hosts and origins."""

    def __init__(self, app: ASGIApp, tickets: Tickets):
        self._app, self._tickets = app, tickets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        reason = None
        if not _here(f"//{headers.get('host', '')}"):
            reason = "this service answers to localhost and 127.0.0.1 only"
        elif origin is not None and not _here(origin):
            reason = f"pages of {origin[:100]} may not use this service"
        if scope["type"] == "http":
            if reason is not None:
                await JSONResponse({"reason": reason}, 403)(scope, receive, send)
                return
            await self._app(scope, receive, send)
            return
        chosen = next((p for p in scope.get("subprotocols", []) if p.startswith(TICKET)), None)
        by_ticket = origin is not None or chosen is not None
        if reason is None and by_ticket and not self._tickets.take((chosen or "").removeprefix(TICKET)):
            reason = "no ticket, or one that was used or is over 30 s old: POST /v1/tickets"
        if reason is None:
            await self._app({**scope, "ticket": chosen}, receive, send)
            return
        await receive()
        await send({"type": "websocket.accept", "subprotocol": chosen})
        await send({"type": "websocket.close", "code": REFUSED, "reason": shortened(reason)})


def _here(url: str) -> bool:
    try:
        return urlsplit(url).hostname in LOOPBACK
    except ValueError:
        return False

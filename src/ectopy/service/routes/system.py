"""Tickets, health, metrics."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ectopy.service.routes._common import StreamsDep, problems
from ectopy.wire import Ticket

router = APIRouter(tags=["system"])


@router.post("/v1/tickets", status_code=201)
async def give_ticket(request: Request) -> Ticket:
    """A page's way to open a WebSocket: good once, for 30 s, as the subprotocol `ectopy.ticket.<ticket>`."""
    ticket: Ticket = request.app.state.tickets.give()
    return ticket


@router.get("/", include_in_schema=False)
async def front() -> Response:
    """Who opens the address in a browser sees the API's page."""
    return RedirectResponse("/docs")


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@router.get("/readyz", responses=problems(503))
async def readyz(streams: StreamsDep) -> Response:
    """Samples are taken in: the store is open and writes."""
    trouble = streams.trouble
    return JSONResponse({"status": "ready"}) if trouble is None else JSONResponse({"reason": trouble}, 503)


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """For Prometheus."""
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)

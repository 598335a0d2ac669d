"""The WebSockets."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket

from ectopy.errors import EctopyError
from ectopy.service.errors import shortened
from ectopy.service.sockets import Connection

router = APIRouter(prefix="/v1")


@router.websocket("/streams/{stream_id}")
async def stream_socket(socket: WebSocket, stream_id: str) -> None:
    await _serve(socket, stream_id)


@router.websocket("/gateway")
async def gateway_socket(socket: WebSocket) -> None:
    await _serve(socket, None)


async def _serve(socket: WebSocket, name: str | None) -> None:
    await socket.accept(socket.scope.get("ticket"))
    streams = socket.app.state.streams
    try:
        if name is not None:
            streams.live(name)
    except EctopyError as error:
        await socket.close(4404, shortened(str(error)))
        return
    await Connection(socket, streams, name).serve()

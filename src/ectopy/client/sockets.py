"""A WebSocket to a stream of the service, and what comes over it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from urllib.parse import quote

from pydantic import Field, TypeAdapter, ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from ectopy.client.answers import closed, misunderstood, not_shaken, unreachable
from ectopy.wire import Ack, AlarmOut, Chunk, FoundOut, Gap, Refused, Skipped, VerdictOut, unpack

Received = Ack | VerdictOut | FoundOut | AlarmOut | Gap | Skipped | Refused

_RECEIVED: TypeAdapter[Received] = TypeAdapter(Annotated[Received, Field(discriminator="type")])
_ANSWER_S = 10.0  # for opening, and between a ping and its pong: a link that died is noticed in twice that


class Socket:
    """A connection; all it raises is an `EctopyError`."""

    def __init__(self, url: str, connection: ClientConnection):
        self._url = url
        self._connection = connection

    async def send(self, message: str | bytes) -> None:
        try:
            await self._connection.send(message)
        except ConnectionClosed as error:
            raise closed(self._url, error) from None

    async def receive(self) -> Received | list[Chunk]:
        """A message, or the chunks of a frame."""
        try:
            message = await self._connection.recv()
        except ConnectionClosed as error:
            raise closed(self._url, error) from None
        if isinstance(message, bytes):
            return unpack(message)
        try:
            return _RECEIVED.validate_json(message)
        except ValidationError as error:
            raise misunderstood(self._url, error) from None


@asynccontextmanager
async def opened(service: str, stream: str) -> AsyncIterator[Socket]:
    """A WebSocket of a stream.

    service : http or https URL

    Raises
    ------
    ServiceError
        If it can't be opened.
    """
    url = f"ws{service.removeprefix('http')}/v1/streams/{quote(stream, safe='')}"
    try:
        connection = await connect(
            url,
            compression=None,  # samples do not shrink enough to be worth the time
            proxy=None,
            open_timeout=_ANSWER_S,
            ping_interval=_ANSWER_S,
            ping_timeout=_ANSWER_S,
            close_timeout=1,
        )
    except (OSError, TimeoutError) as error:
        raise unreachable(service, error) from None
    except InvalidHandshake as error:
        raise not_shaken(service, error) from None
    try:
        yield Socket(url, connection)
    finally:
        await connection.close()

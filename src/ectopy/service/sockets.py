"""One WebSocket: chunks and messages in, acknowledgements, verdicts and samples out."""

from __future__ import annotations

import asyncio
import logging
import re
from contextlib import suppress
from typing import Annotated

from fastapi import WebSocket, WebSocketDisconnect
from pydantic import Field, TypeAdapter, ValidationError

from ectopy.errors import EctopyError, FrameError
from ectopy.service.errors import reason_of, shortened
from ectopy.service.hub import Watcher
from ectopy.service.live import Live
from ectopy.service.streams import Streams
from ectopy.wire import ID, Chunk, End, Gap, Refused, Watch, What, Write, unpack

MALFORMED, TAKEN_OVER, TOO_SLOW, FAILED = 4400, 4409, 1013, 1011
_log = logging.getLogger(__name__)

_Said = TypeAdapter(Annotated[Write | Gap | End | Watch, Field(discriminator="type")])


class Connection:
    """A device, a gateway or a watcher.

    name : the stream of its path; None at the gateway, where chunks and messages name theirs
    """

    def __init__(self, socket: WebSocket, streams: Streams, name: str | None):
        self._socket, self._streams, self._name = socket, streams, name
        self._watcher = Watcher(lambda: self._close(TOO_SLOW, "too slow a watcher"))
        self._writes: dict[tuple[str, int], Live] = {}
        self._watched: set[What] = set()
        self._closing: tuple[int, str] | None = None
        self._ending = asyncio.Event()

    async def serve(self) -> None:
        """Until either side closes."""
        tasks = [asyncio.create_task(part) for part in (self._send(), self._receive(), self._ending.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._leave()
            for task in tasks:
                task.cancel()
            for answer in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(answer, Exception) and not isinstance(answer, WebSocketDisconnect | RuntimeError):
                    _log.error("a socket failed", exc_info=answer)
                    self._closing = self._closing or (FAILED, "the service failed; its log says why")
        if self._closing is not None:
            with suppress(RuntimeError, OSError):  # the other side may have gone
                await self._socket.close(*self._closing)

    def acknowledge(self, live: Live) -> None:
        self._watcher.put_latest(live.epoch.key, live.ack_json())
        if live.writer is self:
            live.known = live.allowed

    def taken_over(self, live: Live) -> None:
        """Another connection writes this stream from now on."""
        self._writes.pop((live.epoch.stream, live.epoch.number), None)
        if self._name is None:  # a gateway goes on with its other streams
            reason = "another connection writes this stream now"
            self._refuse(Refused(status=409, reason=reason, stream=live.epoch.stream))
        else:
            self._close(TAKEN_OVER, "another connection writes this stream now")

    async def _send(self) -> None:
        while True:
            for message in await self._watcher.take():
                if isinstance(message, bytes):
                    await self._socket.send_bytes(message)
                else:
                    await self._socket.send_text(message)

    async def _receive(self) -> None:
        while self._closing is None:
            event = await self._socket.receive()
            if event["type"] == "websocket.disconnect":
                return
            try:
                if (frame := event.get("bytes")) is not None:
                    for chunk in unpack(frame):
                        await self._chunk(chunk)
                else:
                    await self._message(event["text"])
            except FrameError as error:
                self._close(MALFORMED, str(error))
            except ValidationError as error:
                self._close(MALFORMED, reason_of(error.errors()))

    async def _chunk(self, chunk: Chunk) -> None:
        name = chunk.stream or self._name
        live = self._writes.get((name or "", chunk.epoch))
        if live is None or (self._name is not None and name != self._name):
            reason = f"epoch {chunk.epoch} of '{name}': this connection doesn't write it; say so first, with 'write'"
            self._refuse(Refused(status=409, reason=reason, stream=_id(name)))
            return
        try:
            if await self._streams.intake.offer(live, chunk) is None:
                self.acknowledge(live)
        except FrameError:
            raise
        except EctopyError as error:
            self._refuse(Refused(status=error.status, reason=str(error), stream=live.epoch.stream))
            self.acknowledge(live)

    async def _message(self, text: str) -> None:
        said = _Said.validate_json(text)
        if isinstance(said, Watch):
            self._watch(said)
            return
        name = said.stream or self._name
        try:
            if name is None:
                raise FrameError(f"'{said.type}' without a stream; name one")
            live = self._streams.live(name, said.epoch)
            if isinstance(said, Write):
                self._write(live)
            elif isinstance(said, Gap):
                if self._streams.intake.declare(live, said.first, said.n) is None:
                    self.acknowledge(live)
            else:
                kept = self._streams.intake.finish(live, said.n)
                if kept is not None:
                    await kept
                self.acknowledge(live)
        except FrameError:
            raise
        except EctopyError as error:
            self._refuse(Refused(status=error.status, reason=str(error), stream=_id(name)))

    def _write(self, live: Live) -> None:
        if live.writer is not None and live.writer is not self:
            live.writer.taken_over(live)
        live.writer = self
        for key in [key for key in self._writes if key[0] == live.epoch.stream]:
            del self._writes[key]
        self._writes[live.epoch.stream, live.epoch.number] = live
        self.acknowledge(live)

    def _watch(self, said: Watch) -> None:
        if self._name is None:
            self._refuse(Refused(status=400, reason="the gateway watches nothing; open the stream's own socket"))
            return
        try:
            live = self._streams.live(self._name)
        except EctopyError as error:
            self._close(4404, str(error))
            return
        self._watched = set(said.what)
        for what, those in live.watchers.items():
            (those.add if what in self._watched else those.discard)(self._watcher)
        self.acknowledge(live)  # from here on it is told

    def _leave(self) -> None:
        mine = [live for live in self._writes.values() if live.writer is self]
        for live in mine:
            live.writer = None
        if self._name is None and not self._streams.stopping:
            self._streams.alarming.gateway_left([live.epoch.stream for live in mine if not live.ended])
        if self._watched and self._name is not None:
            for those in self._streams.live(self._name).watchers.values():
                those.discard(self._watcher)

    def _refuse(self, refused: Refused) -> None:
        self._watcher.put(refused.model_dump_json())

    def _close(self, code: int, reason: str) -> None:
        self._closing = self._closing or (code, shortened(reason))
        self._ending.set()


def _id(name: str | None) -> str | None:
    """A stream's id to name in an answer, where it is one at all."""
    return name if name and re.fullmatch(ID, name) else None

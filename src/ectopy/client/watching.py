"""Looking on: what a stream says, in order, and no verdict left out or twice, over any number of outages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Literal

from ectopy.client.answers import may_pass, refused_on
from ectopy.client.retry import delays
from ectopy.client.sockets import Socket, opened
from ectopy.errors import EctopyError
from ectopy.wire import Chunk, Gap, Refused, Skipped, VerdictOut, Watch

if TYPE_CHECKING:
    from ectopy.client.api import Client

What = Literal["verdicts", "samples"]
Watched = VerdictOut | Chunk | Gap | Skipped

_LAG_S = 120  # verdicts are never further behind the samples


class Watcher:
    """See `Client.watch`.

    last : id of the newest verdict that is told or not wanted
    """

    def __init__(self, client: Client, stream: str, what: Sequence[What], epoch: int | None, last: int):
        self.last = last
        self._epoch = epoch
        self._client = client
        self._stream = stream
        self._what = what

    async def messages(self) -> AsyncGenerator[Watched, None]:
        """Over one connection after the other."""
        waits, met = delays(), False
        while True:
            try:
                async with opened(self._client.url, self._stream) as socket:
                    await socket.send(Watch(what=[*self._what]).model_dump_json())
                    met = True
                    async for message in self._over(socket):
                        waits = delays()
                        if self._epoch is None or isinstance(message, Skipped) or message.epoch == self._epoch:
                            yield message
            except EctopyError as error:
                if not met or not may_pass(error):
                    raise
            await asyncio.sleep(next(waits))

    async def _over(self, socket: Socket) -> AsyncGenerator[Watched, None]:
        async for verdict in self._missed():
            yield verdict
        fresh = True
        while True:
            told = await socket.receive()
            if isinstance(told, list):
                for chunk in told:
                    yield chunk
            elif isinstance(told, Refused):
                raise refused_on(told)
            elif isinstance(told, Gap):
                yield told
            elif isinstance(told, Skipped):
                yield told
                async for verdict in self._missed():
                    yield verdict
            elif isinstance(told, VerdictOut):
                if fresh:  # nothing says when the service began to tell: one may have come in between
                    async for verdict in self._missed():
                        yield verdict
                    fresh = False
                if told.id > self.last:
                    self.last = told.id
                    yield told

    async def _missed(self) -> AsyncGenerator[VerdictOut, None]:
        """Verdicts behind the last one told, by HTTP."""
        if "verdicts" in self._what:
            async for verdict in self._client.verdicts(self._stream, self._epoch, after=self.last):
                self.last = verdict.id
                yield verdict


async def newest(client: Client, stream: str) -> int:
    """Id of a stream's newest verdict, 0 where there is none."""
    last = 0
    for epoch in reversed(await client.epochs(stream)):
        start_s = max(0.0, float(epoch.next / epoch.rate) - _LAG_S)
        async for verdict in client.verdicts(stream, epoch=epoch.epoch, start_s=start_s):
            last = max(last, verdict.id)
        if last:
            break
    return last

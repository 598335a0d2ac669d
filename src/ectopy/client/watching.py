"""Looking on: what a stream says, in order, and no verdict, finding or alarm left out or twice, over any number of
outages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from ectopy.client.answers import may_pass, refused_on
from ectopy.client.retry import delays
from ectopy.client.sockets import Socket, opened
from ectopy.errors import EctopyError
from ectopy.wire import AlarmOut, Chunk, FoundOut, Gap, Refused, Skipped, VerdictOut, Watch, What

if TYPE_CHECKING:
    from ectopy.client.api import Client

Numbered = VerdictOut | FoundOut | AlarmOut
Watched = Numbered | Chunk | Gap | Skipped

_LAG_S = 120  # verdicts are never further behind the samples


class Feed:
    """See `Client.watch`."""

    def __init__(self, client: Client, stream: str, what: Sequence[What], epoch: int | None, after: int | None):
        self._client = client
        self._stream = stream
        self._what = what
        self._epoch = epoch
        self._after = after
        self._last: dict[What, int] = {}  # the newest that is told or not wanted
        self._lasting: set[int] = set()  # alarms of earlier epochs that are still on

    async def messages(self) -> AsyncGenerator[Watched, None]:
        """Over one connection after the other."""
        self._last = {what: await self._begin(what) for what in self._what if what != "samples"}
        if self._epoch is not None and "alarms" in self._what:
            alarms = self._client.alarms("open", self._stream)
            self._lasting = {alarm.id async for alarm in alarms if alarm.epoch is not None and alarm.presence == "on"}
        waits, met = delays(), False
        while True:
            try:
                async with opened(self._client.url, self._stream) as socket, aclosing(self._over(socket)) as over:
                    await socket.send(Watch(what=[*self._what]).model_dump_json())
                    met = True
                    async for message in over:
                        waits = delays()
                        yield message
            except EctopyError as error:
                if not met or not may_pass(error):
                    raise
            await asyncio.sleep(next(waits))

    async def _over(self, socket: Socket) -> AsyncGenerator[Watched, None]:
        answered = False
        while True:
            told = await socket.receive()
            if isinstance(told, Refused):
                raise refused_on(told)
            if isinstance(told, Skipped):
                answered = False
                yield told
            if not answered:  # from its answer on the service tells all that comes
                answered = True
                for what in self._last:
                    async for missed in self._behind(what):
                        if message := self._new(missed):
                            yield message
            for one in told if isinstance(told, list) else [told]:
                if isinstance(one, VerdictOut | FoundOut | AlarmOut):
                    if message := self._new(one):
                        yield message
                elif isinstance(one, Chunk | Gap) and self._of_epoch(one.epoch):
                    yield one

    def _new(self, message: Numbered) -> Numbered | None:
        """A message that was not told before; None if it was, or is not wanted."""
        what, number = _place(message)
        if number <= self._last[what]:
            return None
        self._last[what] = number
        lasting = isinstance(message, AlarmOut) and message.id in self._lasting
        return message if lasting or self._of_epoch(message.epoch) else None

    def _of_epoch(self, epoch: int | None) -> bool:
        return self._epoch in (None, epoch)

    async def _begin(self, what: What) -> int:
        """Behind which one to begin."""
        if what == "verdicts" and self._after is not None:
            return self._after
        if self._epoch is not None:
            return 0
        if what == "verdicts":
            return await _newest_verdict(self._client, self._stream)
        if what == "findings":
            return await self._client.newest_finding(self._stream)
        return await self._client.newest_change(self._stream)

    def _behind(self, what: What) -> AsyncGenerator[Numbered, None]:
        """What is kept behind the last one told, by HTTP."""
        client, stream, last = self._client, self._stream, self._last[what]
        if what == "verdicts":
            return client.verdicts(stream, self._epoch, after=last)
        if what == "findings":
            return client.findings(stream, self._epoch, after=last)
        return client.alarm_changes(stream, after=last)


def _place(message: Numbered) -> tuple[What, int]:
    if isinstance(message, AlarmOut):
        return "alarms", message.change
    return ("verdicts" if isinstance(message, VerdictOut) else "findings"), message.id


async def _newest_verdict(client: Client, stream: str) -> int:
    """Id of a stream's newest verdict, 0 where there is none."""
    last = 0
    for epoch in reversed(await client.epochs(stream)):
        start_s = max(0.0, float(epoch.next / epoch.rate) - _LAG_S)
        async for verdict in client.verdicts(stream, epoch=epoch.epoch, start_s=start_s):
            last = max(last, verdict.id)
        if last:
            break
    return last

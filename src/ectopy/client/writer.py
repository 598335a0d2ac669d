"""A device's side: `Writer` hands samples on as they come, and loses none when the connection does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from numpy.typing import ArrayLike

from ectopy.client.answers import may_pass, refused_on
from ectopy.client.kept import Kept
from ectopy.client.retry import delays, until_done
from ectopy.client.sockets import Socket, opened
from ectopy.errors import ConflictError, EctopyError, ServiceError, SignalError, StateError
from ectopy.wire import MAX_FRAME, Ack, Chunk, Epoch, EpochRequest, Gap, Refused, Write, pack

if TYPE_CHECKING:
    from ectopy.client.api import Client

KEPT_S = 15 * 60
_CHUNK_S = 10  # at most in a chunk: catching up takes a tenth of the messages that living does
_HEAD = 1024  # more than the head of a chunk takes
_SILENCE_S = 15.0


class Writer:
    """One epoch of a stream, being written; `Client.writer` makes it, `async with` opens the epoch.

    epoch : what the service opened
    acknowledged : samples that the service has on disk, counted from the first
    connected : False during an outage: samples are kept, and the connection is tried again until it is back
    """

    epoch: Epoch

    def __init__(self, client: Client, stream: str, request: EpochRequest, say: Callable[[str], None] | None):
        self.stream = stream
        self.acknowledged = 0
        self.connected = False
        self._client = client
        self._request = request
        self._form = request.form
        self._rate = float(request.rate)
        self._say = say or (lambda _: None)
        self._kept = Kept(self._form.width, round(KEPT_S * self._rate))
        self._most = min(int(_CHUNK_S * self._rate), (MAX_FRAME - _HEAD) // self._form.width)
        self._cursor = 0  # the sample to be sent next
        self._sent = 0  # where that was at most
        self._limit = 0  # where the service's credit ends
        self._declared: list[range] = []  # gaps that the service has not acknowledged
        self._lost = 0  # samples in gaps that it has
        self._met = False
        self._hold_until = 0.0  # the service was busy
        self._holds = delays()
        self._heard_at = 0.0  # when the service last said something, or had nothing to say
        self._work = asyncio.Event()  # there may be something to send
        self._moved = asyncio.Event()  # the service has answered, or writing has failed
        self._task: asyncio.Task[None] | None = None

    @property
    def handed(self) -> int:
        """Samples given to `send` so far."""
        return self._kept.end

    @property
    def dropped(self) -> int:
        """Samples that came to more than 15 minutes of unacknowledged ones: the oldest of them became a gap."""
        return self._lost + max(0, self._kept.first - self.acknowledged)

    async def send(self, samples: ArrayLike | bytes) -> None:
        """Hand samples over: (n,) or (n, n_leads) in mV, NaN = missing, or bytes in the epoch's stored form.

        Never waits for the service. A tenth of a second or more at a time is cheap.

        Raises
        ------
        SignalError
            If they do not fit the epoch.
        ConflictError
            If another writer took over, or other samples are there already.
        """
        self._check()
        stored = samples if isinstance(samples, bytes) else self._form.encode(samples)
        if len(stored) % self._form.width:
            raise SignalError(f"{len(stored)} bytes are no whole number of samples of {self._form.width} bytes")
        if self.acknowledged == self._kept.end:
            self._heard_at = _now()
        self._kept.add(stored)
        self._work.set()
        await asyncio.sleep(0)  # so that who sends without a pause lets it be sent

    async def drain(self) -> None:
        """Wait until all that was handed over is acknowledged, through any outage; errors as `send`."""
        end = self._kept.end
        await self._until(lambda: self.acknowledged >= end)

    async def end(self) -> Epoch:
        """Wait until all is acknowledged, then end the epoch: the service gives the verdicts it still owes."""
        await self.drain()
        await self._stop()
        return await until_done(self._end, delays())

    async def __aenter__(self) -> Self:
        self.epoch = await self._client.open_epoch(self.stream, self._request)
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(lambda _: self._moved.set())
        try:
            await self._until(lambda: self.connected)
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leaves the epoch open, and does not wait for what isn't acknowledged."""
        await self._stop()

    async def _run(self) -> None:
        """Connect, and again after each outage; ends only by an error that no waiting mends."""
        waits = delays()
        while True:
            before = self.acknowledged
            try:
                async with opened(self._client.url, self.stream) as socket:
                    await self._session(socket)
            except EctopyError as error:
                if not self._met or not may_pass(error):
                    raise
                self._lose(error)
            if self.acknowledged > before:
                waits = delays()
            await asyncio.sleep(next(waits))

    async def _session(self, socket: Socket) -> None:
        """Write over one connection, until it breaks."""
        self._heard_at = _now()
        await socket.send(Write(epoch=self.epoch.epoch).model_dump_json())
        listening = asyncio.create_task(self._listen(socket))
        listening.add_done_callback(lambda _: self._work.set())
        try:
            while not listening.done():
                self._work.clear()
                if (message := self._due()) is not None:
                    await socket.send(message)
                else:
                    await self._idle()
            listening.result()
        finally:
            listening.cancel()
            await asyncio.wait({listening})

    def _due(self) -> str | bytes | None:
        """What is to be sent next, if the service takes it by now."""
        if not self.connected or _now() < self._hold_until:
            return None
        kept, epoch = self._kept, self.epoch.epoch
        if self._cursor < kept.first:
            gap = Gap(stream=None, epoch=epoch, first=self._cursor, n=kept.first - self._cursor)
            self._declared.append(range(self._cursor, kept.first))
            self._cursor = kept.first
            self._sent = max(self._sent, self._cursor)
            return gap.model_dump_json(exclude_none=True)
        n = min(kept.end - self._cursor, self._limit - self._cursor, self._most)
        if n <= 0:
            return None
        chunk = Chunk("", epoch, self._cursor, n, kept.take(self._cursor, n))
        self._cursor += n
        self._sent = max(self._sent, self._cursor)
        return pack([chunk])

    async def _idle(self) -> None:
        """Until there may be something to send; ServiceError if the service owes an answer and does not give it."""
        owes = not self.connected or self.acknowledged < self._kept.end
        left = self._heard_at + _SILENCE_S - _now()
        if owes and left <= 0:
            raise ServiceError(f"{self._client.url}: no acknowledgement for {_SILENCE_S:.0f} s")
        if owes and _now() < self._hold_until:
            left = self._hold_until - _now()
        with suppress(TimeoutError):  # the next look decides: what is owed may have changed
            async with asyncio.timeout(left if owes else None):
                await self._work.wait()

    async def _listen(self, socket: Socket) -> None:
        while True:
            told = await socket.receive()
            self._heard_at = _now()
            if isinstance(told, Ack):
                self._acknowledge(told)
            elif isinstance(told, Refused):
                error = refused_on(told)
                if not self.connected or not may_pass(error):
                    raise error
                self._cursor = self.acknowledged  # to be sent again, with all that followed
                if _now() >= self._hold_until:  # of many that were on their way, the first counts
                    self._hold_until = _now() + next(self._holds)

    def _acknowledge(self, ack: Ack) -> None:
        reached = ack.next
        if reached > self._sent:
            where = f"{self.stream}, epoch {ack.epoch}"
            raise ConflictError(f"{where}: {reached} samples are there, but this writer sent {self._sent}")
        if reached > self.acknowledged:
            self._hold_until, self._holds = 0.0, delays()
        for gap in self._declared:
            self._lost += len(range(max(gap.start, self.acknowledged), min(gap.stop, reached)))
        self._declared = [gap for gap in self._declared if gap.stop > reached and self.connected]
        self.acknowledged = reached
        self._kept.forget(reached)
        self._limit = reached + ack.credit
        self._cursor = max(self._cursor, reached) if self.connected else reached
        if not self.connected:
            self._regain()
        self._work.set()
        self._moved.set()

    def _regain(self) -> None:
        self.connected = True
        if self._met:
            gap_s, behind_s = ((n - self.acknowledged) / self._rate for n in (self._kept.first, self._kept.end))
            lost = f"; the first {gap_s:.1f} s of them are lost" if gap_s else ""
            self._say(f"{self.stream}: connected again, {behind_s:.1f} s to catch up{lost}")
        self._met = True

    def _lose(self, error: EctopyError) -> None:
        if self.connected:
            self._say(f"{error}; {self.stream}: samples are kept until it is back")
        self.connected = False

    async def _end(self) -> Epoch:
        try:
            return await self._client.end(self.stream, self.epoch.epoch, self._kept.end)
        except EctopyError as error:
            if may_pass(error):
                self._lose(error)
            raise

    async def _until(self, done: Callable[[], bool]) -> None:
        while not done():
            self._check()
            self._moved.clear()
            await self._moved.wait()

    def _check(self) -> None:
        """Raise what writing failed with."""
        if self._task is None or self._task.cancelled():
            raise StateError(f"{self.stream}: this writer is not open; 'async with client.writer(...)' opens one")
        if self._task.done():
            self._task.result()

    async def _stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait({self._task})
            if not self._task.cancelled():
                self._task.exception()  # or asyncio says that nobody looked at it


def _now() -> float:
    return asyncio.get_running_loop().time()

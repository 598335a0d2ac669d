"""Devices, a gateway and requests that load the service: as cheap as can be, since they share its cores.

WebSockets are spoken by hand: frames are packed beforehand, with a mask of zeros (a client must mask, and zeros leave
a payload as it is), and of what comes back no more is read than where a verdict stands. Times are `time.monotonic`.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

import orjson

from ectopy.wire import MAX_FRAME, Chunk, pack

FS = 360
INTERVAL_S, NEEDED_S = 5, 7  # a verdict every 5 s, given once 2 s more are there
PERIOD_S = 5  # over which the phases of devices are spread: as long as from verdict to verdict
_ONCE_S = 10  # of signal in one chunk, at most, when much has heaped up
_RETRY_S = 0.25
_TEXT, _BINARY, _PING, _PONG = 1, 2, 9, 10
_START = re.compile(rb'"start_sample":(\d+)')
_EVENT = re.compile(rb'"stream":"d(\d+)","epoch":1,"start_sample":(\d+)')


@dataclass
class Tally:
    """What was sent and told, by stream and number of the interval.

    due : when its last needed sample was taken by a device that does nothing else
    sent : when the chunk with that sample was sent first
    told : when its verdict came
    """

    due: dict[tuple[int, int], float] = field(default_factory=dict)
    sent: dict[tuple[int, int], float] = field(default_factory=dict)
    told: dict[tuple[int, int], float] = field(default_factory=dict)
    doubled: int = 0
    not_analysed: int = 0
    refused: list[str] = field(default_factory=list)
    broken: int = 0  # connections that the service closed

    def tell(self, stream: int, interval: int) -> None:
        self.doubled += (stream, interval) in self.told
        self.told[stream, interval] = time.monotonic()

    def latencies(self, begin: float = 0.0, end: float = float("inf")) -> list[float]:
        """Seconds from sent to told, of what was sent between two times; ascending."""
        told = self.told
        return sorted(told[key] - at for key, at in self.sent.items() if begin <= at < end and key in told)

    def missing(self) -> int:
        return len(self.sent.keys() - self.told.keys())

    async def all_told(self, patience_s: float) -> None:
        """Until there is a verdict for all that was sent, or none has come for so long."""
        before, since = -1, time.monotonic()
        while self.missing() and time.monotonic() - since < patience_s:
            await asyncio.sleep(0.25)
            if len(self.told) != before:
                before, since = len(self.told), time.monotonic()


class Source:
    """What a device reads: stored int16 samples, and each second of them as a frame that is ready to be sent."""

    def __init__(self, stored: bytes, seconds: int):
        self._stored = stored * (seconds * FS * 2 // len(stored) + 1)
        self.frames = [self.chunk(s * FS, FS) for s in range(seconds)]

    def bytes(self, first: int, n: int) -> bytes:
        return self._stored[first * 2 : (first + n) * 2]

    def chunk(self, first: int, n: int) -> bytes:
        return framed(pack([Chunk("", 1, first, n, self.bytes(first, n))]), _BINARY)


def framed(payload: bytes, opcode: int) -> bytes:
    """A WebSocket frame as clients send them."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 65536:
        length = b"\xfe" + size.to_bytes(2, "big")
    else:
        length = b"\xff" + size.to_bytes(8, "big")
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


class Socket(asyncio.Protocol):
    """A WebSocket, the client's side."""

    def __init__(self, path: str):
        self._path = path
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        at = 0
        if not self.open.done():
            at = data.find(b"\r\n\r\n") + 4
            if at < 4:
                self._rest = data
                return
            if not data.startswith(b"HTTP/1.1 101"):
                self.open.set_exception(ConnectionError(data[:200].decode(errors="replace")))
                return
            self.open.set_result(None)
        end = len(data)
        while at + 2 <= end:
            size, begin = data[at + 1], at + 2
            if size > 125:
                begin += 2 if size == 126 else 8
                size = int.from_bytes(data[at + 2 : begin], "big")
            if begin + size > end:
                break
            opcode = data[at] & 15
            if opcode == _TEXT:
                self.told(data[begin : begin + size])
            elif opcode == _PING:
                self.write(framed(data[begin : begin + size], _PONG))
            at = begin + size
        self._rest = data[at:]

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if not self.open.done():
            self.open.set_exception(ConnectionError("closed before it was open"))

    def say(self, **message: object) -> None:
        self.write(framed(orjson.dumps(message), _TEXT))

    def write(self, frames: bytes) -> None:
        if self._transport is not None:
            self._transport.write(frames)

    def told(self, message: bytes) -> None:
        raise NotImplementedError

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None


class Device:
    """One lead at 360 Hz: a chunk a second, and verdicts on the same socket. It goes on when the service comes back,
    and when it was silent itself, from where the service asks for.

    began : when its first sample was taken
    taken, sent : samples so far
    """

    def __init__(self, number: int, source: Source, tally: Tally, port: int):
        self.number, self._source, self._tally, self._port = number, source, tally, port
        self._socket: _DeviceSocket | None = None
        self._left = 0
        self._allowed = 0  # how far it may send, by the last acknowledgement
        self._rewind = False  # go on where the next one says
        self._closed = False
        self.silent = False
        self.began = 0.0
        self.taken = self.sent = 0

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        _, socket = await loop.create_connection(lambda: _DeviceSocket(self), "127.0.0.1", self._port)
        await socket.open
        self._socket = socket
        self._rewind = True
        socket.say(type="write", epoch=1)
        socket.say(type="watch", what=["verdicts"])

    def begin(self, at: float, seconds: int) -> None:
        """Take samples from a time on, for so many seconds."""
        self.began, self._left = at, seconds
        self._wait()

    def send(self) -> None:
        """All that was taken, within the credit: the last second, or what has heaped up."""
        if self._socket is None or self.silent or self._rewind:
            return
        while (n := min(self.taken - self.sent, _ONCE_S * FS, (self._allowed - self.sent) // FS * FS)) > 0:
            alone = n == FS
            self._socket.write(self._source.frames[self.sent // FS] if alone else self._source.chunk(self.sent, n))
            self._count(self.sent + n)

    def told(self, message: bytes) -> None:
        if message.startswith(b'{"type":"verdict"'):
            found = _START.search(message)
            assert found is not None
            self._tally.tell(self.number, int(found[1]) // (INTERVAL_S * FS))
            self._tally.not_analysed += b"not_analysed" in message
        elif message.startswith(b'{"type":"ack"'):
            said = orjson.loads(message)
            self._allowed = said["next"] + said["credit"]
            if self._rewind:
                self.sent, self._rewind = said["next"], False
            if self.sent < self.taken:
                self.send()
        elif len(self._tally.refused) < 1000:
            self._tally.refused.append(message.decode())
            self._rewind = True

    def lost(self) -> None:
        self._socket = None
        if not self._closed:
            self._tally.broken += 1
            self._again = asyncio.get_running_loop().create_task(self._reconnect())

    def close(self) -> None:
        self._closed = True
        if self._socket is not None:
            self._socket.close()

    async def _reconnect(self) -> None:
        while not self._closed:
            with suppress(OSError):
                await self.connect()
                return
            await asyncio.sleep(_RETRY_S)

    def _wait(self) -> None:
        if self._left:
            self._left -= 1
            delay = self.began + self.taken / FS + 1 - time.monotonic()
            asyncio.get_running_loop().call_later(max(delay, 0), self._second)

    def _second(self) -> None:
        self.taken += FS
        interval = _last(self.taken)
        if interval is not None:
            self._tally.due[self.number, interval] = self.began + self.taken / FS
        self.send()
        self._wait()

    def _count(self, upto: int) -> None:
        """Sent, now, up to there."""
        now = time.monotonic()
        for end in range(self.sent + FS, upto + 1, FS):
            interval = _last(end)
            if interval is not None:
                self._tally.sent.setdefault((self.number, interval), now)
        self.sent = upto


class _DeviceSocket(Socket):
    def __init__(self, device: Device):
        super().__init__(f"/v1/streams/d{device.number}")
        self._device = device

    def told(self, message: bytes) -> None:
        self._device.told(message)

    def connection_lost(self, error: Exception | None) -> None:
        opened = self.open.done()
        super().connection_lost(error)
        if opened:
            self._device.lost()


class Gateway(Socket):
    """Many devices on one socket: ten frames a second, each with a second of those whose second is over.

    slots : devices by the tenth of a second, of five seconds, in which they begin; with what each reads
    """

    def __init__(self, slots: list[list[tuple[int, Source]]], tally: Tally, seconds: int):
        super().__init__("/v1/gateway")
        self._tally = tally
        self.began = 0.0
        self._tick = 0
        self._frames: list[list[bytes]] = []
        self._ends: list[list[tuple[int, int]]] = []
        for tick in range(10 * seconds):
            # of a slot that began at tick b, second s is over at b + 10 s + 9
            now = [((tick - begin - 9) // 10, of) for begin, of in enumerate(slots) if (tick - begin - 9) % 10 == 0]
            parts = [(s, number, source) for s, of in now if s >= 0 for number, source in of]
            chunks = (Chunk(f"d{number}", 1, s * FS, FS, source.bytes(s * FS, FS)) for s, number, source in parts)
            self._frames.append([framed(frame, _BINARY) for frame in _frames(chunks)])
            lasts = ((number, _last((s + 1) * FS)) for s, number, _ in parts)
            self._ends.append([(number, interval) for number, interval in lasts if interval is not None])

    def begin(self, at: float) -> None:
        self.began = at
        self._wait()

    def told(self, message: bytes) -> None:
        if not message.startswith(b'{"type":"ack"') and len(self._tally.refused) < 1000:
            self._tally.refused.append(message.decode())

    def connection_lost(self, error: Exception | None) -> None:
        self._tally.broken += self._transport is not None
        super().connection_lost(error)

    def _wait(self) -> None:
        if self._tick < len(self._frames):
            delay = self.began + (self._tick + 1) / 10 - time.monotonic()
            asyncio.get_running_loop().call_later(max(delay, 0), self._send)

    def _send(self) -> None:
        now = time.monotonic()
        for frame in self._frames[self._tick]:
            self.write(frame)
        for key in self._ends[self._tick]:
            self._tally.sent[key] = now
            self._tally.due[key] = self.began + (self._tick + 1) / 10
        self._tick += 1
        self._wait()


class Events(asyncio.Protocol):
    """All streams' verdicts, as server-sent events."""

    def __init__(self, tally: Tally):
        self._tally = tally
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")

    def data_received(self, data: bytes) -> None:
        whole, mark, self._rest = (self._rest + data).rpartition(b"\n\n")
        if mark:
            for found in _EVENT.finditer(whole):
                self._tally.tell(int(found[1]), int(found[2]) // (INTERVAL_S * FS))
            self._tally.not_analysed += whole.count(b"not_analysed")
            self._tally.refused += ["an event was skipped"] * whole.count(b"event: skipped")


class Http:
    """One connection, kept alive: a request at a time."""

    def __init__(self, port: int):
        self._port = port
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of an answer; OSError where there is none."""
        if self._ends is None:
            self._ends = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._ends
        try:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            return int(head[9:12]), await reader.readexactly(size)
        except asyncio.IncompleteReadError:
            self.close()
            raise ConnectionError("closed within an answer") from None

    def close(self) -> None:
        if self._ends is not None:
            self._ends[1].close()
            self._ends = None


def request(method: str, path: str, body: object = None) -> bytes:
    """As bytes, to be sent many times."""
    content = b"" if body is None else orjson.dumps(body)
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


async def ask_all(port: int, requests: Sequence[bytes], at_once: int = 16) -> list[tuple[int, bytes]]:
    """Answers, in order."""
    answers: list[tuple[int, bytes]] = [(0, b"")] * len(requests)
    numbers = iter(range(len(requests)))

    async def some() -> None:
        http = Http(port)
        for number in numbers:
            answers[number] = await http.ask(requests[number])
        http.close()

    await asyncio.gather(*(some() for _ in range(at_once)))
    return answers


async def begin_epochs(port: int, n: int) -> None:
    """Of streams d0, d1, ..."""
    about = {"fs": FS, "leads": ["MLII"], "kind": "int16", "unit": "mV", "gain": 200}
    answers = await ask_all(port, [request("POST", f"/v1/streams/d{i}/epochs", about) for i in range(n)])
    wrong = [body for status, body in answers if status != 201]
    if wrong:
        raise ConnectionError(f"{len(wrong)} of {n} epochs were refused: {wrong[0].decode()}")


@dataclass
class Asked:
    """Requests at a steady rate: seconds from when each was to be sent to its answer."""

    taken: list[float] = field(default_factory=list)
    refused: dict[int, int] = field(default_factory=dict)


async def ask_steadily(port: int, requests: Sequence[bytes], rate: float, seconds: float, at_once: int = 32) -> Asked:
    """So many a second, whether or not the service keeps up; what finds no free connection waits for one."""
    asked, began = Asked(), time.monotonic()
    numbers = iter(range(round(rate * seconds)))

    async def some() -> None:
        http = Http(port)
        for number in numbers:
            due = began + number / rate
            await asyncio.sleep(max(due - time.monotonic(), 0))
            status, _ = await http.ask(requests[number % len(requests)])
            if status == 200:
                asked.taken.append(time.monotonic() - due)
            else:
                asked.refused[status] = asked.refused.get(status, 0) + 1
        http.close()

    await asyncio.gather(*(some() for _ in range(at_once)))
    asked.taken.sort()
    return asked


def _last(upto: int) -> int | None:
    """Number of the interval whose last needed sample is the one before `upto`, if it is one's."""
    interval, rest = divmod(upto // FS - NEEDED_S, INTERVAL_S)
    return interval if interval >= 0 and rest == 0 else None


def _frames(chunks: Iterable[Chunk]) -> Iterator[bytes]:
    """As many chunks in each as fit."""
    parts, size = [], 0
    for chunk in chunks:
        part = pack([chunk])
        if size + len(part) > MAX_FRAME:
            yield b"".join(parts)
            parts, size = [], 0
        parts.append(part)
        size += len(part)
    if parts:
        yield b"".join(parts)

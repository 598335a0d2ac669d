"""Devices as they are: chunks of any size, doubled, overlapping, out of order, late; and what became of their samples.

A device knows from the start which samples it will leave out, so that every gap of the service's log can be told from
a loss. After each outage it goes on from what was acknowledged.
"""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import httpx
import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidMessage, WebSocketException

from ectopy.recording import exact_rate
from ectopy.wire import Chunk, Form, pack
from ectopy.wire.form import MISSING

# What a killed service does to those who talk to it.
Lost = (WebSocketException, InvalidHandshake, InvalidMessage, httpx.TransportError, OSError, EOFError, TimeoutError)
_STUCK_S = 60.0


@dataclass(frozen=True)
class Hole:
    """Samples that the device leaves out: told of, silently, or sent once nobody waits for them any more."""

    first: int
    end: int
    kind: Literal["declared", "silent", "late"]


@dataclass
class Run:
    """An epoch, as its device plans it.

    raw : (n, n_leads) in stored form
    number : the service's; 0 before it has one
    acked : the largest `next` that was ever told
    sent : index behind all that was ever sent, or told to be missing
    ended : the service has said so
    """

    raw: NDArray[Any]
    holes: list[Hole]
    number: int = 0
    acked: int = 0
    sent: int = 0
    ended: bool = False
    sent_late: set[Hole] = field(default_factory=set)

    def stored(self, first: int, end: int) -> bytes:
        return self.raw[first:end].tobytes()

    def hole_at(self, sample: int) -> Hole | None:
        return next((hole for hole in self.holes if hole.first <= sample < hole.end), None)

    def expected(self, n: int) -> bytes:
        """The first `n` samples as they are to be read back: missing where they were left out."""
        raw = self.raw[:n].copy()
        for hole in self.holes:
            raw[hole.first : hole.end] = MISSING if raw.dtype.kind == "i" else np.nan
        return raw.tobytes()


class Link(Protocol):
    """A device's way to the service."""

    async def write(self, device: Device) -> None:
        """Be told where to go on: `device.next`."""

    async def send(self, device: Device, chunk: Chunk) -> None: ...

    async def gap(self, device: Device, first: int, n: int) -> None: ...


class Device:
    """One stream.

    Parameters
    ----------
    name : id of the stream
    signal : (n,) in mV, played round and round
    kind, n_leads, fs, gain : its form
    length_s : seconds of signal in an epoch
    speed : how much faster than life it plays
    holes : it leaves samples out
    """

    def __init__(
        self,
        name: str,
        signal: NDArray[np.floating],
        *,
        kind: Literal["int16", "float32"] = "int16",
        n_leads: int = 1,
        fs: float | str = 360,
        gain: float = 200.0,
        length_s: float = 60,
        speed: float = 20,
        holes: bool = True,
        seed: int = 0,
    ):
        self.name, self.fs, self.rate, self.speed = name, fs, exact_rate(fs), speed
        self.leads = [f"L{n + 1}" for n in range(n_leads)]
        self.form = Form(n_leads, kind, "mV", gain if kind == "int16" else 1.0)
        self.random = random.Random(f"{name} {seed}")
        self.runs: list[Run] = []
        self.told: dict[int, Any] = {}  # verdicts by id, as watchers are told
        self.conflicts = 0
        self.cursor = self.credit = 0
        self.stopping = False
        self.changed = asyncio.Event()
        self._signal, self._length, self._holes = signal, int(length_s * self.rate), holes

    @property
    def run(self) -> Run:
        return self.runs[-1]

    def acknowledged(self, epoch: int, following: int, credit: int) -> None:
        """The service has said so; what it once acknowledged it must not forget."""
        run = next(run for run in self.runs if run.number == epoch)
        assert following >= run.acked, f"{self.name}: {following} after {run.acked}"
        run.acked = following
        if run is self.run:
            self.credit = credit
            self.cursor = max(self.cursor, following)
        self.changed.set()

    def refused(self, status: int, reason: str) -> None:
        """Conflicts are of its own making; of anything else it sends again what is not acknowledged."""
        if status == 409 and "other samples" in reason:
            self.conflicts += 1
        elif status in (429, 503):
            self.cursor = self.run.acked
        else:
            raise AssertionError(f"{self.name}: {status} {reason}")

    async def play(self, http: httpx.AsyncClient, link: Link) -> None:
        """Send, one epoch after the other, until the link breaks or it is told to stop."""
        while not (self.stopping and self.run.ended):
            if not self.runs or self.run.ended:
                self.runs.append(self._plan())
            if self.run.number == 0:
                self.run.number = await self._begin(http)
            await link.write(self)
            self.cursor = self.run.acked
            await self._send(link)
            await self._end(http, self.cursor)

    async def _end(self, http: httpx.AsyncClient, n: int) -> None:
        """The epoch is over; done when all its verdicts are there."""
        said = {"epoch": self.run.number, "n": n}
        answer = await http.post(f"/v1/streams/{self.name}/end", json=said)
        answer.raise_for_status()
        assert answer.json()["next"] == n and answer.json()["ended"]
        self.run.acked, self.run.ended = n, True

    async def _begin(self, http: httpx.AsyncClient) -> int:
        form = {"kind": self.form.kind, "unit": self.form.unit, "gain": self.form.gain}
        request = {"fs": self.fs, "leads": self.leads, **form}
        answer = await http.post(f"/v1/streams/{self.name}/epochs", json=request)
        return int(answer.raise_for_status().json()["epoch"])

    def _plan(self) -> Run:
        first = self.random.randrange(len(self._signal))
        one = np.take(self._signal, range(first, first + self._length), mode="wrap")
        leads = [one, *(-0.6 * np.roll(one, 3 * lead) for lead in range(1, self.form.n_leads))]
        stored = np.frombuffer(self.form.encode(np.stack(leads, 1)), "<i2" if self.form.kind == "int16" else "<f4")
        holes, at = [], 0
        while self._holes:
            at += int(self.random.uniform(4, 30) * self.rate)
            end = at + int(self.random.choice((0.02, 0.3, 1, 5)) * self.random.uniform(0.5, 1) * self.rate)
            if end > self._length - 5 * self.rate:
                break
            holes.append(Hole(at, end, self.random.choice(("declared", "declared", "silent", "late"))))
            at = end
        return Run(stored.reshape(-1, self.form.n_leads), holes)

    async def _send(self, link: Link) -> None:
        run, held = self.run, list[tuple[float, Chunk]]()
        clock = asyncio.get_running_loop().time
        moved = clock()
        while run.acked < (run.sent if self.stopping else len(run.raw)):
            held = await self._release(link, held, float("inf") if self.stopping else clock())
            await self._remember_late(link, run)
            hole = run.hole_at(self.cursor)
            if hole:
                held = await self._release(link, held, float("inf"))  # what lies before a gap goes before it
                if self.cursor < hole.first:  # it was refused
                    continue
                self.cursor = max(self.cursor, hole.end)  # at once: a refusal may come while the gap is told
                if hole.kind == "declared":
                    run.sent = max(run.sent, hole.end)
                    await link.gap(self, hole.first, hole.end - hole.first)
                continue
            chunk = self._chunk(run)
            if chunk is None:
                assert clock() - moved < _STUCK_S, f"{self.name} waits at {self.cursor}, {run.acked} acknowledged"
                self.changed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.05):  # before Python 3.12 `wait_for` misses a cancel as it ends
                        await self.changed.wait()
                if isinstance(link, Rest) and clock() - moved > 0.5:  # nobody tells it that the service was away
                    await link.write(self)
                    self.cursor = run.acked
                continue
            moved = clock()
            self.cursor = chunk.first + chunk.n
            run.sent = max(run.sent, self.cursor)
            chance = self.random.random()
            if chance < 0.15:
                held.append((clock() + self.random.uniform(0, 0.2), chunk))
            else:
                await link.send(self, chunk)
                if chance < 0.25:
                    await link.send(self, chunk)
                elif chance < 0.27:
                    await self._forge(link, run)
            await asyncio.sleep(chunk.n / float(self.rate) / self.speed)

    def _chunk(self, run: Run) -> Chunk | None:
        """What comes next, with some of what came before; None where that needs an acknowledgement first."""
        last = run.sent if self.stopping else len(run.raw)
        stop = min([last, run.acked + self.credit, *(h.first for h in run.holes if h.first > self.cursor)])
        n = self.random.choice((1, 7, 90, 360, 500))
        end = min(self.cursor + n, stop)
        if end <= self.cursor:
            return None
        first = self.cursor
        if self.random.random() < 0.2:
            behind = max([0, *(hole.end for hole in run.holes if hole.end <= first)])
            first = max(first - self.random.randrange(500), behind)
        return self._cut(run, first, end)

    def _cut(self, run: Run, first: int, end: int) -> Chunk:
        return Chunk(self.name, run.number, first, end - first, run.stored(first, end))

    async def _release(self, link: Link, held: list[tuple[float, Chunk]], now: float) -> list[tuple[float, Chunk]]:
        for _, chunk in [one for one in held if one[0] <= now][::-1]:  # and out of order among themselves
            await link.send(self, chunk)
        return [one for one in held if one[0] > now]

    async def _remember_late(self, link: Link, run: Run) -> None:
        for hole in run.holes:
            if hole.kind == "late" and hole.end <= run.acked and hole not in run.sent_late:
                run.sent_late.add(hole)
                await link.send(self, self._cut(run, hole.first, min(hole.end, hole.first + 500)))

    async def _forge(self, link: Link, run: Run) -> None:
        """Other samples where some are acknowledged: to be refused."""
        first = self.random.randrange(max(run.acked, 1))
        if first + 1 >= run.acked or run.hole_at(first):
            return
        stored = bytearray(run.stored(first, first + 1))
        stored[0] ^= 1
        await link.send(self, Chunk(self.name, run.number, first, 1, bytes(stored)))


class Rest:
    """A request a chunk, as a frame or as JSON."""

    def __init__(self, http: httpx.AsyncClient, form: Literal["frame", "json"]):
        self._http, self._form = http, form

    async def write(self, device: Device) -> None:
        answer = await self._http.get(f"/v1/streams/{device.name}/offset", params={"epoch": device.run.number})
        self._acknowledge(device, answer.raise_for_status())

    async def send(self, device: Device, chunk: Chunk) -> None:
        url = f"/v1/streams/{device.name}/samples"
        if self._form == "frame":
            answer = await self._http.post(
                url, content=pack([chunk]), headers={"Content-Type": "application/octet-stream"}
            )
        else:
            values = device.form.decode(chunk.samples).astype(float).tolist()
            said = {"epoch": chunk.epoch, "first": chunk.first, "samples": values}
            answer = await self._http.post(url, json=said)
        self._acknowledge(device, answer)

    async def gap(self, device: Device, first: int, n: int) -> None:
        said = {"epoch": device.run.number, "first": first, "n": n}
        self._acknowledge(device, await self._http.post(f"/v1/streams/{device.name}/gaps", json=said))

    def _acknowledge(self, device: Device, answer: httpx.Response) -> None:
        said = answer.json()
        if answer.status_code == 200:
            device.acknowledged(said["epoch"], said["next"], said["credit"])
        else:
            device.refused(answer.status_code, said["reason"])


class Socket:
    """A WebSocket: one stream's, or the gateway's with several."""

    def __init__(self, socket: ClientConnection, devices: list[Device]):
        self._socket = socket
        self._devices = {device.name: device for device in devices}

    async def read(self) -> None:
        async for message in self._socket:
            said = json.loads(message)
            match said["type"]:
                case "ack":
                    self._devices[said["stream"]].acknowledged(said["epoch"], said["next"], said["credit"])
                case "verdict":
                    self._devices[said["stream"]].told[said["id"]] = said
                case "error":
                    self._devices[said["stream"]].refused(said["status"], said["reason"])
                case kind:
                    raise AssertionError(f"{kind}: {message!r}")
        raise EOFError

    async def write(self, device: Device) -> None:
        device.credit = 0
        if len(self._devices) == 1:
            await self._socket.send(json.dumps({"type": "watch", "what": ["verdicts"]}))
        await self._say(device, "write")
        async with asyncio.timeout(_STUCK_S):
            while device.credit == 0:
                device.changed.clear()
                await device.changed.wait()

    async def send(self, device: Device, chunk: Chunk) -> None:
        await self._socket.send(pack([chunk]))

    async def gap(self, device: Device, first: int, n: int) -> None:
        await self._say(device, "gap", first=first, n=n)

    async def _say(self, device: Device, kind: str, **more: int) -> None:
        said = {"type": kind, "stream": device.name, "epoch": device.run.number, **more}
        await self._socket.send(json.dumps(said))


Way = Literal["socket", "gateway", "frame", "json"]


class Ward:
    """All devices, each on its way.

    ways : the devices that share one; only a gateway takes several
    """

    def __init__(self, url: str, ways: list[tuple[Way, list[Device]]]):
        self.url, self._ways = url, ways
        self.devices = [device for _, devices in ways for device in devices]

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=_STUCK_S)

    async def play(self) -> None:
        """Connect, send, and connect again; until `stop`."""
        async with asyncio.TaskGroup() as group:
            for way, devices in self._ways:
                group.create_task(self._play(way, devices))

    def stop(self) -> None:
        """Have each device end its epoch where it is."""
        for device in self.devices:
            device.stopping = True

    async def _play(self, way: Way, devices: list[Device]) -> None:
        while not all(device.stopping and device.run.ended for device in devices):
            try:
                async with self.http() as http:
                    if way in ("frame", "json"):
                        link = Rest(http, "frame" if way == "frame" else "json")
                        await devices[0].play(http, link)
                    else:
                        await self._play_socket(http, devices)
            except* Lost:
                await asyncio.sleep(0.02)
            except* httpx.HTTPStatusError as errors:  # for now, where it is full
                if any(error.response.status_code not in (429, 503) for error in _leaves(errors)):
                    raise
                await asyncio.sleep(0.02)

    async def _play_socket(self, http: httpx.AsyncClient, devices: list[Device]) -> None:
        for device in devices:  # a stream's own socket is there once the stream is
            if not device.runs:
                device.runs.append(device._plan())
            if device.run.number == 0:
                device.run.number = await device._begin(http)
        path = "gateway" if len(devices) > 1 else f"streams/{devices[0].name}"
        url = f"{self.url.replace('http', 'ws')}/v1/{path}"
        async with connect(url, compression=None, close_timeout=1, proxy=None) as socket:
            link = Socket(socket, devices)
            async with asyncio.TaskGroup() as group:
                reader = group.create_task(link.read())
                async with asyncio.TaskGroup() as playing:
                    for device in devices:
                        playing.create_task(device.play(http, link))
                reader.cancel()


def _leaves(group: BaseExceptionGroup[Any]) -> list[Any]:
    found = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found

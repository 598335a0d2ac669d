"""The client, and `ectopy stream`, against a small service on a loopback port that breaks connections at will."""

import asyncio
import json
import os
import pty
import random
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import aclosing, contextmanager, suppress
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import JSONResponse, StreamingResponse
from websockets.asyncio.client import connect

import ectopy
from ectopy.client import Client, Watched
from ectopy.errors import BusyError, ConflictError, EctopyError, RecordError, ServiceError, SignalError, StateError
from ectopy.wire import (
    MAX_FRAME,
    Ack,
    AlarmOut,
    AnalysisOut,
    AnalysisRequest,
    Chunk,
    Epoch,
    EpochRequest,
    FoundOut,
    Gap,
    Job,
    Refused,
    Samples,
    Skipped,
    VerdictOut,
    Write,
    pack,
    unpack,
)

ECTOPY = (sys.executable, "-m", "ectopy")
REQUEST = EpochRequest.model_validate({"fs": 100, "leads": ["II"], "gain": 1000})


class Run:
    """One epoch, as the fake has it."""

    def __init__(self, name, number, request):
        self.name, self.number, self.request = name, number, request
        self.width = request.form.width
        self.log, self.gaps, self.ended, self.writer = bytearray(), [], False, None

    @property
    def next(self):
        return len(self.log) // self.width

    def ack(self, credit):
        return Ack(stream=self.name, epoch=self.number, next=self.next, credit=credit)

    def told(self):
        return Epoch.model_validate(
            self.request.model_dump()
            | {"stream": self.name, "epoch": self.number, "started_at": datetime.now(UTC), "ended": self.ended}
            | {"next": self.next, "credit": 0, "model": "fake"}
        )


class Fake:
    """Speaks the contract, without a disk or a model: an interval's verdict is there with its last sample, and with it
    a finding and a change of an alarm.

    credit : samples it takes beyond what it acknowledged
    breaks : share of frames at which it breaks the connection, before or after it took them in
    refuse : how often yet it answers a frame with 429
    told : the sizes in samples of the chunks that it took
    """

    def __init__(self):
        self.credit, self.breaks, self.refuse, self.skip = 100_000, 0.0, 0, 0
        self.runs, self.verdicts, self.watchers, self.told, self.asked = {}, [], [], [], []
        self.findings, self.changes = [], []
        self.chance = random.Random(7)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.app = app_of(self)

    def up(self):
        config = uvicorn.Config(self.app, port=self.port, log_level="critical", ws="websockets-sansio")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)

    def down(self):
        self.server.should_exit = self.server.force_exit = True
        self.thread.join()

    def run(self, name, number=None):
        runs = self.runs[name]
        return runs[-1] if number is None else runs[number - 1]

    async def take(self, ws, run, chunk):
        """A chunk of samples: taken in and acknowledged, twice, unless something is in the way."""
        broken, before = self.chance.random() < self.breaks, self.chance.random() < 0.5
        refused = self.refused(ws, run, chunk)
        if not (refused or (broken and before)):
            run.log += chunk.samples[len(run.log) - chunk.first * run.width :]
            self.told.append(chunk.n)
        if broken:
            await ws.close(1011)
        else:
            await say(ws, refused or run.ack(self.credit))
            await say(ws, run.ack(self.credit))
            await self.tell(run, chunk)

    def refused(self, ws, run, chunk):
        if self.refuse:
            self.refuse -= 1
            return Refused(status=429, reason="busy just now")
        if run.ended or run.writer is not ws:
            return Refused(status=409, reason=f"epoch {run.number} is not written here")
        if chunk.first + chunk.n > run.next + self.credit:
            return Refused(status=429, reason="beyond the credit")
        assert chunk.first <= run.next, "a hole"
        known = run.log[chunk.first * run.width :]
        if not chunk.samples.startswith(known[: len(chunk.samples)]):
            return Refused(status=409, reason="other samples are there already")
        return None

    async def tell(self, run, chunk):
        fs = float(run.request.rate)
        given = sum(v.stream == run.name and v.epoch == run.number for v in self.verdicts)
        whole = int(run.next / fs // 5)
        last = [run.next / fs] if run.ended and run.next / fs - 5 * whole >= 2 else []
        ends = [5.0 * (k + 1) for k in range(whole)] + last
        for end_s in ends[given:]:
            self.verdicts.append(verdict(len(self.verdicts) + 1, run, end_s))
            self.findings.append(finding(len(self.findings) + 1, run, end_s))
            self.changes.append(change(len(self.changes) + 1, run))
            await self.tell_watchers("verdicts", run, self.verdicts[-1])
            await self.tell_watchers("findings", run, self.findings[-1])
            await self.tell_watchers("alarms", run, self.changes[-1])
        await self.tell_watchers("samples", run, chunk)

    async def tell_watchers(self, what, run, message):
        for ws, stream, wanted in [*self.watchers]:
            if stream != run.name or what not in wanted or message is None:
                continue
            with suppress(RuntimeError):
                if what != "samples" and self.chance.random() < self.breaks:
                    self.watchers = [w for w in self.watchers if w[0] is not ws]
                    await ws.close(1011)
                elif what == "verdicts" and self.skip:
                    self.skip -= 1
                    if not self.skip:
                        await say(ws, Skipped(n=3))
                elif isinstance(message, Chunk):
                    await ws.send_bytes(pack([message]))
                else:
                    await say(ws, message)


def verdict(number, run, end_s, start=datetime(2026, 1, 1, tzinfo=UTC)):
    start_s, fs = (end_s - 0.01) // 5 * 5, run.request.rate
    return VerdictOut.model_validate(
        {"id": number, "stream": run.name, "epoch": run.number, "start_s": start_s, "end_s": end_s}
        | {"start_sample": int(start_s * fs), "end_sample": int(end_s * fs)}
        | {"start_at": start + timedelta(seconds=start_s), "end_at": start + timedelta(seconds=end_s)}
        | {"verdict": "normal", "score": 0.1, "heart_rate": 60, "quality": 1, "n_beats": 0, "n_abnormal": 0}
        | {"reason": "", "beats": [], "findings": [], "model": "fake"}
    )


def finding(number, run, end_s, start=datetime(2026, 1, 1, tzinfo=UTC)):
    return FoundOut.model_validate(
        {"id": number, "stream": run.name, "epoch": run.number, "name": "pause", "start_s": end_s, "end_s": None}
        | {"abnormal": True, "told_s": end_s, "start_at": start, "end_at": None}
    )


def change(number, run, when=datetime(2026, 1, 1, tzinfo=UTC)):
    """Alarms are raised and over in turn."""
    return AlarmOut.model_validate(
        {"id": (number + 1) // 2, "change": number, "stream": run.name, "epoch": run.number, "code": "pause"}
        | {"kind": "physiological", "priority": "medium", "presence": "on" if number % 2 else "off", "signal": "on"}
        | {"acknowledged": False, "acknowledged_by": None, "acknowledged_at": None, "onset_at": when, "told_at": when}
        | {"ended_at": None if number % 2 else when, "late": False, "reason": "no beat for 3 s", "value": None}
    )


async def say(ws, message):
    await ws.send_text(message.model_dump_json())


def answer(message):
    return Response(message.model_dump_json(), media_type="application/json")


def app_of(fake):
    app = FastAPI()

    @app.exception_handler(KeyError)
    async def unknown(_, error):
        return JSONResponse({"reason": f"no stream {error}"}, 404)

    @app.post("/v1/streams/{name}/epochs")
    async def begin(name: str, request: EpochRequest):
        runs = fake.runs.setdefault(name, [])
        for run in runs:
            run.ended = True
        runs.append(Run(name, len(runs) + 1, request))
        return answer(runs[-1].told())

    @app.get("/v1/streams/{name}/epochs")
    async def epochs(name: str):
        return [run.told() for run in fake.runs[name]]

    @app.get("/v1/streams/{name}/offset")
    async def offset(name: str, epoch: int | None = None):
        return answer(fake.run(name, epoch).ack(fake.credit))

    @app.post("/v1/streams/{name}/end")
    async def end(name: str, said: dict):
        run = fake.run(name, said["epoch"])
        run.ended = True
        await fake.tell(run, None)
        return answer(run.told())

    @app.post("/v1/streams/{name}/samples")
    async def push(name: str, request: Request, append: bool = False):
        if request.headers["content-type"] == "application/octet-stream":
            (chunk,) = unpack(await request.body())
            stored = chunk.samples
        else:
            samples = Samples.model_validate_json(await request.body())
            assert append == (samples.first is None)
            stored = fake.run(name).request.form.encode([np.nan if s is None else s for s in samples.samples])
        fake.run(name).log += stored
        return answer(fake.run(name).ack(fake.credit))

    @app.get("/v1/streams/{name}/samples")
    async def samples(name: str, epoch: int, first: int, n: int):
        run = fake.run(name, epoch)
        n = max(min(n, 300, run.next - first), 0)
        headers = {"Ectopy-First": str(first), "Ectopy-N": str(n)}
        return Response(bytes(run.log[first * run.width : (first + n) * run.width]), headers=headers)

    @app.get("/v1/streams/{name}/verdicts")
    async def verdicts(name: str, epoch: int | None = None, after: int = 0, limit: int = 100, start_s: float = 0):
        found = [v for v in fake.verdicts if v.id > after and v.stream == name and epoch in (None, v.epoch)]
        page = [v for v in found if v.start_s >= start_s][: min(limit, 3)]
        more = bool(page) and page[-1] is not found[-1]
        return {"next": page[-1].id if more else None, "items": page}

    def paged(found, key, newest):
        page = found[-1:] if newest else found[:3]
        return {"next": key(page[-1]) if page and page[-1] is not found[-1] else None, "items": page}

    @app.get("/v1/streams/{name}/findings")
    async def findings(name: str, epoch: int | None = None, after: int = 0, newest: bool = False):
        mine = [f for f in fake.findings if f.id > after and f.stream == name and epoch in (None, f.epoch)]
        return paged(mine, lambda f: f.id, newest)

    @app.get("/v1/streams/{name}/alarms")
    async def changes(name: str, after: int = 0, newest: bool = False):
        mine = [c for c in fake.changes if c.change > after and c.stream == name]
        return paged(mine, lambda c: c.change, newest)

    @app.get("/v1/alarms")
    async def alarms(stream: str):
        newest = {c.id: c for c in fake.changes if c.stream == stream}
        return {"next": None, "items": [alarm for alarm in newest.values() if alarm.presence != "off"]}

    @app.get("/v1/events")
    async def events(request: Request):
        after, changed = map(int, request.headers.get("Last-Event-ID", "0-0").split("-"))
        fake.asked.append((after, changed))
        behind = fake.verdicts[after:] + fake.changes[changed:]

        async def lines():
            place = [after, changed]
            yield f": hello\n\nid: {after}-{changed}\n\n"
            for event in behind[:4]:  # and then it breaks
                place[event.type == "alarm"] = event.change if event.type == "alarm" else event.id
                yield f"id: {place[0]}-{place[1]}\nevent: {event.type}\ndata: {event.model_dump_json()}\n\n"
            if behind[4:]:
                yield f"id: {place[0] + 1}-{place[1]}\nevent: verdict\ndata: {{"

        return StreamingResponse(lines(), media_type="text/event-stream")

    @app.post("/v1/analyze", status_code=202)
    async def analyze(request: Request):
        fake.asked.append(await request.body())
        return Job(id="7", state="waiting", progress=0)

    @app.get("/v1/jobs/7")
    async def job():
        fake.asked.append("job")
        if len(fake.asked) > 3:
            return Job(id="7", state="done", progress=1, result=RESULT)
        return Job(id="7", state="running", progress=0.5)

    @app.delete("/v1/jobs/7")
    async def cancel():
        fake.asked.append("cancelled")

    @app.get("/v1/models")
    async def refuse():
        status, reason, headers = fake.answer
        return JSONResponse(reason, status, headers)

    @app.websocket("/v1/streams/{name}")
    async def stream(ws: WebSocket, name: str):
        await ws.accept()
        if name not in fake.runs:
            await ws.close(4404, f"no stream {name}")
            return
        with suppress(RuntimeError):  # closed by what was done with a message
            while (event := await ws.receive())["type"] != "websocket.disconnect":
                if event.get("bytes") is not None:
                    assert len(event["bytes"]) <= MAX_FRAME
                    for chunk in unpack(event["bytes"]):
                        await fake.take(ws, fake.run(name, chunk.epoch), chunk)
                    continue
                said = json.loads(event["text"])
                if said["type"] == "watch":
                    fake.watchers.append((ws, name, said["what"]))
                    await say(ws, fake.run(name).ack(fake.credit))
                    continue
                run = fake.run(name, said["epoch"])
                if said["type"] == "write":
                    if run.writer is not None:
                        with suppress(RuntimeError):
                            await run.writer.close(4409, "another connection writes this stream now")
                    run.writer = ws
                else:
                    assert said["type"] == "gap" and said["first"] == run.next
                    run.gaps.append(Gap.model_validate(said))
                    run.log += run.request.form.encode(np.full(said["n"], np.nan))
                await say(ws, run.ack(fake.credit))
        fake.watchers = [w for w in fake.watchers if w[0] is not ws]

    return app


RESULT = AnalysisOut.model_validate(
    {"name": "", "fs": 100, "leads": ["II"], "calibrated": True, "model": "fake", "episodes": [], "intervals": []}
    | {
        "summary": {
            "duration_s": 5,
            "verdicts": {},
            "beats": {},
            "heart_rate": None,
            "unreadable_share": 0,
            "notes": [],
        }
    }
)


@pytest.fixture
def fake():
    fake = Fake()
    fake.up()
    yield fake
    if fake.thread.is_alive():
        fake.down()


def signal_of(seconds, fs=100):
    """(n, 1) in mV, no two neighbours alike, and all that int16 holds at 1000 a mV."""
    return (np.arange(seconds * fs) % 20_000 / 1000.0)[:, None]


def stored(samples):
    return REQUEST.form.encode(samples)


def running(scenario):
    return asyncio.run(asyncio.wait_for(scenario, 60))


# Writing


def test_each_sample_arrives_once_and_in_order_however_often_the_connection_breaks(fake):
    signal, said = signal_of(120), list[str]()
    fake.breaks = 0.1

    async def scenario():
        async with Client(fake.url) as client, client.writer("bed-7", REQUEST, say=said.append) as writer:
            for first in range(0, len(signal), 100):
                await writer.send(signal[first : first + 100])
                await asyncio.sleep(0.005)
            epoch = await writer.end()
            assert (writer.handed, writer.acknowledged, writer.dropped) == (12_000, 12_000, 0)
            assert epoch.ended and epoch.next == 12_000

    running(scenario())
    assert fake.run("bed-7").log == stored(signal)
    assert fake.run("bed-7").gaps == []
    assert sum("samples are kept until it is back" in line for line in said) >= 3
    assert sum("bed-7: connected again" in line for line in said) == len(said) / 2


def test_after_an_outage_what_was_kept_goes_in_few_large_chunks(fake):
    signal = signal_of(600)

    async def scenario():
        async with Client(fake.url) as client, client.writer("bed-7", REQUEST) as writer:
            await writer.send(signal[:100])
            await writer.drain()
            await asyncio.to_thread(fake.down)
            for first in range(100, len(signal), 100):
                await writer.send(signal[first : first + 100])  # which does not wait
            assert not writer.connected
            await asyncio.to_thread(fake.up)
            await writer.drain()

    running(scenario())
    assert fake.run("bed-7").log == stored(signal)
    assert max(fake.told) == 1000
    assert len(fake.told) < 70


def test_a_chunk_stays_within_a_frame_whatever_the_number_of_leads(fake):
    request = EpochRequest.model_validate({"fs": 1000, "leads": [f"lead {k}" for k in range(16)], "kind": "float32"})
    signal = np.arange(16 * 20_000).reshape(-1, 16)

    async def scenario():
        async with Client(fake.url) as client, client.writer("bed-7", request) as writer:
            await writer.send(signal)
            await writer.drain()

    running(scenario())
    assert fake.run("bed-7").log == request.form.encode(signal)


def test_an_outage_of_more_than_fifteen_minutes_becomes_a_gap_of_what_is_over(fake):
    signal, said = signal_of(20 * 60), list[str]()

    async def scenario():
        async with Client(fake.url) as client, client.writer("bed-7", REQUEST, say=said.append) as writer:
            await writer.send(signal[:1000])
            await writer.drain()
            await asyncio.to_thread(fake.down)
            await writer.send(signal[1000:])
            assert writer.dropped == 29_000
            await asyncio.to_thread(fake.up)
            await writer.end()
            assert writer.dropped == 29_000

    running(scenario())
    run = fake.run("bed-7")
    assert [(gap.first, gap.n, gap.reason) for gap in run.gaps] == [(1000, 29_000, "declared")]
    assert run.log[:2000] == stored(signal[:1000])
    assert run.log[60_000:] == stored(signal[30_000:])
    assert "the first 290.0 s of them are lost" in said[-1]


def test_credit_is_kept_to_and_what_is_refused_is_sent_again(fake):
    fake.credit, fake.refuse = 130, 3
    signal = signal_of(20)

    async def scenario():
        async with Client(fake.url) as client, client.writer("bed-7", REQUEST) as writer:
            await writer.send(signal)
            await writer.drain()

    running(scenario())
    assert fake.run("bed-7").log == stored(signal)
    assert max(fake.told) == 130


def test_samples_are_taken_in_stored_form_too_and_refused_where_they_do_not_fit(fake):
    async def scenario():
        async with Client(fake.url) as client, client.writer("bed-7", REQUEST) as writer:
            await writer.send(b"\1\2\3\4")
            with pytest.raises(SignalError, match="3 bytes are no whole number"):
                await writer.send(b"\1\2\3")
            with pytest.raises(SignalError, match="shape"):
                await writer.send(np.zeros((3, 2)))
            await writer.end()
            with pytest.raises(StateError, match="not open"):
                await writer.send(b"\1\2")

    running(scenario())
    assert fake.run("bed-7").log == b"\1\2\3\4"


def test_who_writes_an_epoch_that_another_one_ended_is_told(fake):
    async def scenario():
        async with Client(fake.url) as client, client.writer("bed-7", REQUEST) as writer:
            await client.open_epoch("bed-7", REQUEST)
            await writer.send(signal_of(1))
            with pytest.raises(ConflictError, match="epoch 1 is not written here"):
                await writer.drain()
            with pytest.raises(ConflictError, match="epoch 1 is not written here"):
                await writer.send(signal_of(1))

    running(scenario())


def test_who_writes_what_another_connection_took_over_is_told(fake):
    async def scenario():
        async with (
            Client(fake.url) as client,
            client.writer("bed-7", REQUEST) as writer,
            connect(f"{fake.url.replace('http', 'ws')}/v1/streams/bed-7") as other,
        ):
            await other.send(Write(epoch=1).model_dump_json())
            with pytest.raises(ConflictError, match="another connection writes this stream now"):
                while True:
                    await writer.send(b"")
                    await asyncio.sleep(0.01)

    running(scenario())


def test_samples_where_others_are_already_are_a_conflict(fake):
    async def scenario():
        async with Client(fake.url) as client, client.writer("bed-7", REQUEST) as writer:
            fake.run("bed-7").log += b"\1\2"
            await writer.send(b"\3\4")
            with pytest.raises(ConflictError, match="other samples are there already"):
                await writer.drain()

    running(scenario())


def test_an_address_in_capital_letters_is_the_same(fake):
    async def scenario():
        async with Client(fake.url.replace("http", "HTTP")) as client, client.writer("bed-7", REQUEST) as writer:
            await writer.send(b"\3\4")
            await writer.drain()

    running(scenario())
    assert fake.run("bed-7").log == b"\3\4"


# Watching


async def watched(client, count, kinds=(VerdictOut,), **how):
    """Messages, until there are so many of each kind."""
    messages: list[Watched] = []
    async with aclosing(client.watch("bed-7", **how)) as coming:
        while any(sum(isinstance(message, kind) for message in messages) < count for kind in kinds):
            messages.append(await anext(coming))
    return messages


def test_verdicts_come_once_and_in_order_over_breaks(fake):
    fake.breaks = 0.15

    async def scenario():
        async with Client(fake.url) as client, client.writer("bed-7", REQUEST) as writer:
            watching = asyncio.create_task(watched(client, 60, what=["verdicts"], after=0))
            for _ in range(30):
                await writer.send(signal_of(10))
                await asyncio.sleep(0.02)
            await writer.end()
            return await watching

    messages = running(scenario())
    assert [v.id for v in messages] == list(range(1, 61))
    assert [v.end_s for v in messages] == [5.0 * k for k in range(1, 61)]


def test_what_a_slow_watcher_skipped_is_fetched(fake):
    async def scenario():
        async with Client(fake.url) as client, client.writer("bed-7", REQUEST) as writer:
            watching = asyncio.create_task(watched(client, 12, what=["verdicts"]))
            while not fake.watchers:
                await asyncio.sleep(0.01)
            for k in range(12):
                await writer.send(signal_of(5))
                await writer.drain()
                await asyncio.sleep(0.01)
                fake.skip = 4 if k == 3 else fake.skip
            return await watching

    messages = running(scenario())
    assert [m.id for m in messages if isinstance(m, VerdictOut)] == list(range(1, 13))
    assert [m.n for m in messages if isinstance(m, Skipped)] == [3]


def test_watching_begins_with_the_next_verdict_or_behind_the_one_that_is_named(fake):
    async def scenario():
        async with Client(fake.url) as client, client.writer("bed-7", REQUEST) as writer:
            await writer.send(signal_of(50))
            await writer.drain()
            behind = await watched(client, 3, what=["verdicts"], after=4)
            whole = await watched(client, 10, what=["verdicts"], epoch=1)
            now = asyncio.create_task(watched(client, 2))
            while not fake.watchers or "samples" not in fake.watchers[-1][2]:
                await asyncio.sleep(0.01)
            await writer.send(signal_of(10))
            return behind, whole, await now

    behind, whole, now = running(scenario())
    assert [v.id for v in behind] == [5, 6, 7]
    assert [v.id for v in whole] == list(range(1, 11))
    assert [v.id for v in now if isinstance(v, VerdictOut)] == [11, 12]


def test_samples_are_watched_as_they_come(fake):
    async def scenario():
        async with (
            Client(fake.url) as client,
            client.writer("bed-7", REQUEST) as writer,
            aclosing(client.watch("bed-7", ["samples"])) as coming,
        ):
            watching = asyncio.ensure_future(anext(coming))
            while not fake.watchers:
                await asyncio.sleep(0.01)
            await writer.send(signal_of(1))
            return await watching

    chunk = running(scenario())
    assert (chunk.epoch, chunk.first, chunk.n, chunk.samples) == (1, 0, 100, stored(signal_of(1)))


def test_a_stream_that_is_not_there_is_watched_by_nobody(fake):
    async def scenario(**how):
        async with Client(fake.url) as client:
            await anext(client.watch("bed-9", **how))

    for how in ({}, {"what": ["samples"]}):
        with pytest.raises(RecordError, match="bed-9"):
            running(scenario(**how))


def test_findings_and_alarms_come_once_and_in_order_over_breaks(fake):
    fake.breaks = 0.1

    async def scenario():
        async with Client(fake.url) as client, client.writer("bed-7", REQUEST) as writer:
            await writer.send(signal_of(20))
            await writer.drain()
            how = {"what": ["alarms", "findings", "verdicts"], "kinds": (VerdictOut, FoundOut, AlarmOut)}
            watching = asyncio.create_task(watched(client, 36, **how))
            whole = asyncio.create_task(watched(client, 40, epoch=1, **how))
            while len(fake.watchers) < 2:
                await asyncio.sleep(0.01)
            for _ in range(18):
                await writer.send(signal_of(10))
                await asyncio.sleep(0.02)
            await writer.drain()
            newest = await client.newest_finding("bed-7"), await client.newest_change("bed-7")
            return await watching, await whole, newest

    *both, newest = running(scenario())
    assert newest == (40, 40)
    for first, messages in zip((5, 1), both, strict=True):
        found = [m.id for m in messages if isinstance(m, FoundOut)]
        changed = [m.change for m in messages if isinstance(m, AlarmOut)]
        assert found == changed == list(range(first, 41))


def test_events_go_on_behind_the_last_ones_seen(fake):
    run = Run("bed-7", 1, REQUEST)
    fake.verdicts = [verdict(k + 1, run, 5.0 * (k + 1)) for k in range(6)]
    fake.changes = [change(k + 1, run) for k in range(5)]

    async def scenario(after, count):
        async with Client(fake.url) as client, aclosing(client.events(after)) as events:
            seen = [await anext(events) for _ in range(count)]
            return [e.change if isinstance(e, AlarmOut) else f"v{e.id}" for e in seen]

    assert running(scenario(None, 11)) == ["v1", "v2", "v3", "v4", "v5", "v6", 1, 2, 3, 4, 5]
    assert fake.asked == [(0, 0), (4, 0), (6, 2)]
    assert running(scenario((4, 3), 4)) == ["v5", "v6", 4, 5]


# Calls


def test_pages_become_one_sequence(fake):
    async def scenario():
        async with Client(fake.url) as client, client.writer("bed-7", REQUEST) as writer:
            await writer.send(signal_of(50))
            await writer.drain()
            verdicts = [v.id async for v in client.verdicts("bed-7", after=2)]
            chunks = [chunk async for chunk in client.samples("bed-7", first=50, n=4000)]
            return verdicts, chunks

    verdicts, chunks = running(scenario())
    assert verdicts == list(range(3, 11))
    assert b"".join(chunk.samples for chunk in chunks) == stored(signal_of(50)[50:4050])
    assert [chunk.first for chunk in chunks] == list(range(50, 4050, 300))


def test_samples_are_pushed_by_http_as_a_frame_or_as_json(fake):
    async def scenario():
        async with Client(fake.url) as client:
            epoch = await client.open_epoch("bed-7", REQUEST)
            await client.push("bed-7", Chunk("", epoch.epoch, 0, 1, b"\1\0"))
            return await client.push("bed-7", Samples(epoch=epoch.epoch, first=None, samples=[0.002, None, 0.003]))

    assert running(scenario()).next == 4
    assert fake.run("bed-7").log == b"\1\0\2\0\x00\x80\3\0"


@pytest.mark.parametrize(
    ("status", "reason", "headers", "kind", "words"),
    [
        (404, {"reason": "no stream 'bed-9'"}, {}, RecordError, "no stream 'bed-9'"),
        (409, {"reason": "other samples"}, {}, ConflictError, "other samples"),
        (422, {"reason": "fs: too low"}, {}, SignalError, "fs: too low"),
        (429, {"reason": "try later"}, {"Retry-After": "7"}, BusyError, "try later"),
        (503, {"reason": "disk full"}, {"Retry-After": "5"}, BusyError, "disk full"),
        (500, {"reason": "the service failed"}, {}, ServiceError, "the service failed"),
        (403, {"detail": "no"}, {}, ServiceError, "is this an Ectopy service"),
        (200, {"hello": "world"}, {}, ServiceError, "not understood"),
    ],
)
def test_a_refusal_is_the_error_of_its_status_with_its_reason(fake, status, reason, headers, kind, words):
    fake.answer = status, reason, headers

    async def scenario():
        async with Client(fake.url) as client:
            await client.models()

    with pytest.raises(EctopyError, match=words) as caught:
        running(scenario())
    assert type(caught.value) is kind
    assert status == 200 or caught.value.status == status
    assert "\n" not in str(caught.value)
    if isinstance(caught.value, BusyError):
        assert caught.value.retry_after_s == int(headers["Retry-After"])


def test_where_there_is_no_service_one_line_says_so(fake):
    fake.down()

    async def scenario(ask):
        async with Client(fake.url) as client:
            await ask(client)

    async def write(client):
        async with client.writer("bed-7", REQUEST):
            pass

    asks = [Client.streams, write, lambda c: anext(c.watch("bed-7", ["samples"])), lambda c: anext(c.events())]
    for ask in asks:
        with pytest.raises(ServiceError, match=r"no service there .*ectopy serve") as caught:
            running(scenario(ask))
        assert "\n" not in str(caught.value)
    with pytest.raises(ServiceError, match=r"localhost:8700: no address .*http://"):
        Client("localhost:8700")


def test_a_long_analysis_is_followed_and_cancelled_with_who_waits_for_it(fake, tmp_path):
    (tmp_path / "mine.hea").write_text("header")

    async def scenario():
        async with Client(fake.url) as client:
            shares: list[float] = []
            result = await client.analyze(tmp_path / "mine.hea", progress=shares.append)
            assert (result, shares) == (RESULT, [0.5, 0.5, 1.0])
            assert b'filename="mine.hea"' in fake.asked[0] and b"header" in fake.asked[0]
            fake.asked.clear()
            request = AnalysisRequest(fs=100, leads=None, samples=[0.1, None])
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.analyze(request), 0.3)
            assert json.loads(fake.asked[0])["samples"] == [0.1, None]
            assert fake.asked[-1] == "cancelled"
            with pytest.raises(RecordError, match=r"yours\.hea: can't be read"):
                await client.analyze(tmp_path / "yours.hea")

    running(scenario())


# The command


def stream(*arguments, data=b"", code=0):
    done = subprocess.run([*ECTOPY, "stream", *arguments], input=data, capture_output=True, timeout=60)
    out, err = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == code, err
    return out.splitlines(), err.splitlines()


def test_a_recording_is_played_and_its_verdicts_are_printed(fake, demo):
    out, err = stream("demo", "--to", fake.url, "--speed", "max")
    assert [line.split()[0] for line in out[:-1] if " normal " in line] == intervals(300)
    assert [line.split() for line in out[:-1] if " normal " not in line] == 30 * [
        ["0:00", "MEDIUM", "pause:", "no", "beat", "for", "3", "s"],
        ["0:00-0:00", "over", "pause"],
    ]
    assert out[-1].startswith("60 intervals: 60 normal")
    assert out[-1].endswith("alarms: 30 medium")
    assert "Research software, not a medical device." in err
    run = fake.run("demo")
    assert run.ended
    assert np.array_equal(run.request.form.decode(bytes(run.log)), demo.samples)


def test_an_alarm_that_is_on_since_an_earlier_run_is_told_and_counted(fake):
    fake.runs["demo"] = [Run("demo", 1, REQUEST)]
    fake.changes = [change(1, fake.run("demo")), change(2, Run("bed-7", 1, REQUEST))]
    out, _ = stream("demo", "--to", fake.url, "--speed", "max")
    told = [line.split()[1] for line in out[:-1] if " normal " not in line]
    assert told == ["MEDIUM"] + 30 * ["MEDIUM", "over"]
    assert out[-1].endswith("alarms: 31 medium")


def intervals(seconds):
    return [f"{s // 60}:{s % 60:02}-{(s + 5) // 60}:{(s + 5) % 60:02}" for s in range(0, seconds, 5)]


def test_json_is_an_object_a_verdict(fake):
    out, err = stream("demo", "--to", fake.url, "--speed", "max", "--json", "--stream", "bed-7")
    told = [json.loads(line) for line in out]
    assert [m["id"] for m in told if m["type"] == "verdict"] == list(range(1, 61))
    changes = [AlarmOut.model_validate(m).change for m in told if m["type"] == "alarm"]
    assert changes == list(range(1, 61))
    assert err[-1].startswith("60 intervals")
    assert fake.run("bed-7").request.label == "demo"


@pytest.mark.parametrize(
    ("options", "data"),
    [
        ([], b"\xef\xbb\xbf" + b"".join(b"%d,%s\n" % (k, b"" if k % 7 == 0 else b"%d" % -k) for k in range(2000))),
        ([], b"".join(b"%d %s\n" % (k, b"nan" if k % 7 == 0 else b"%d" % -k) for k in range(2000)).strip()),
        (["--binary", "float32"], lambda x: x.astype("<f4").tobytes()),
        (["--binary", "int16"], lambda x: np.where(np.isnan(x), -32768, x).astype("<i2").tobytes() + b"\0"),
    ],
    ids=["commas behind a byte-order mark", "blanks", "float32", "int16"],
)
def test_a_device_is_piped_in(fake, options, data):
    sent = np.array([[k, np.nan if k % 7 == 0 else -k] for k in range(2000)], np.float32)
    device = ["-", "--to", fake.url, "--fs", "100", "--unit", "uV", "--gain", "2", "--lead", "I", "--lead", "II"]
    out, _ = stream(*device, *options, data=data(sent) if callable(data) else data)
    assert out[-1].startswith("4 intervals")
    run = fake.run("device")
    assert run.request.leads == ["I", "II"]
    np.testing.assert_allclose(run.request.form.decode(bytes(run.log)), sent / 2 / 1000, rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "data", "words"),
    [
        (["-"], b"", "name it, as --fs 360"),
        (["-", "--fs", "20"], b"", "fs '20': expected 100 to 1000 Hz"),
        (["-", "--fs", "100"], b"0.1\nlead off\n", "line 2: 'lead off'; expected a number"),
        (["-", "--fs", "100", *2 * ["--lead", "A"]], b"", "ectopy: leads ['A', 'A']: two leads of one name"),
        (["-", "--fs", "100", "--speed", "2"], b"", "leave --speed out"),
        (["demo", "--fs", "100"], b"", "leave --fs out"),
        (["nowhere"], b"", "nowhere: no such recording"),
        (["-", "--fs", "100", "--gain", "inf"], b"1\n", "gain inf: expected a finite number"),
        (["demo", "--stream", "bed/7"], b"", "stream 'bed/7': expected up to 64 letters"),
        (["demo", "--stream", "bed-7", "--to", "http://127.0.0.1:9"], b"", "no service there"),
        (["demo", "--stream", "bed-7\n"], b"", "expected up to 64 letters"),
        (["demo", "--to", "http://127.0.0.1:87000"], b"", "no address of a service"),
        (["demo", "--to", "http://127.0.0.1:0"], b"", "no address of a service"),
        (["demo", "--to", "http://[::1"], b"", "no address of a service"),
    ],
)
def test_what_can_not_be_streamed_is_said_in_a_line(fake, arguments, data, words):
    to = [] if "--to" in arguments else ["--to", fake.url]
    _, err = stream(*arguments, *to, data=data, code=2)
    assert words in err[-1]
    assert not any("Traceback" in line for line in err)


def test_a_service_that_goes_away_in_the_middle_is_waited_for(fake):
    process = subprocess.Popen(
        [*ECTOPY, "stream", "demo", "--to", fake.url, "--speed", "60"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.readline()
    fake.down()
    for line in process.stderr:
        if b"samples are kept until it is back" in line:
            break
    fake.up()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"demo: connected again" in err
    assert out.decode().splitlines()[-1].startswith("60 intervals")
    assert fake.run("demo").next == 300 * 360 and fake.run("demo").gaps == []


@contextmanager
def served(folder, port=0):
    """The real service, and its URL; killed at the end."""
    command = [*ECTOPY, "serve", "--port", str(port), "--data", str(folder)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        url = next(line.split()[3] for line in process.stderr if line.startswith("Ectopy listens on"))
        assert any("startup complete" in line for line in process.stderr)
        yield url
    finally:
        process.kill()
        process.communicate()


def test_a_service_that_is_killed_in_the_middle_gives_the_verdicts_of_the_offline_analysis(tmp_path, demo):
    with served(tmp_path) as url:
        command = [*ECTOPY, "stream", "demo", "--to", url, "--speed", "60", "--json"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        begun = [process.stdout.readline() for _ in range(10)]
    with served(tmp_path, url.rpartition(":")[2]):
        rest, err = process.stdout.readlines(), process.stderr.read()
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert "connected again" in err
    told = [json.loads(line) for line in begun + rest]
    expected = [v.to_dict() for v in ectopy.analyze(demo).verdicts]
    assert [{name: v[name] for name in expected[0]} for v in told if v["type"] == "verdict"] == expected
    assert {m["code"] for m in told if m["type"] == "alarm"} >= {"tachycardia", "ectopic burden"}


def test_ctrl_c_says_how_much_is_acknowledged_and_leaves_the_epoch_open(fake):
    process = subprocess.Popen(
        [*ECTOPY, "stream", "demo", "--to", fake.url, "--speed", "10"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline().startswith(b"0:00-0:05")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    *_, how, last = err.decode().splitlines()
    assert re.fullmatch(r"0:(0\d|10).* of 0:\S+ acknowledged; epoch 1 of demo stays open", how)
    assert last == "ectopy: stopped"
    assert not fake.run("demo").ended


def test_a_terminal_shows_how_far_it_is(fake):
    terminal, inside = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "NO_COLOR": ""}
    arguments = [*ECTOPY, "stream", "demo", "--to", fake.url, "--speed", "100"]
    process = subprocess.Popen(arguments, stdin=inside, stdout=inside, stderr=inside, env=environment)
    os.close(inside)
    seen, until = b"", time.monotonic() + 60
    while time.monotonic() < until:
        ready, _, _ = select.select([terminal], [], [], 1)
        try:
            seen += os.read(terminal, 65536) if ready else b""
        except OSError:  # what Linux says at the end
            break
    assert process.wait(timeout=60) == 0
    os.close(terminal)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())
    assert re.search(r"demo .*\d:\d\d of 5:00", text)
    assert re.findall(r"(\d:\d\d-\d:\d\d) +normal", text) == intervals(300)
    assert "60 intervals" in text

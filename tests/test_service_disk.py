"""Whatever the disk does to the service, or has done, it loses nothing and says what is wrong."""

import asyncio
import json
import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.crash import RARE, Fault, Lives
from tests.service_check import SHORT, Judged, through, until, ward_of
from tests.service_load import Device, Ward
from tests.serving import serving
from websockets.sync.client import connect

import ectopy
from ectopy.service.alarming import Alarming
from ectopy.service.metrics import Metrics
from ectopy.service.rows import SnapshotRow
from ectopy.service.runs import Run
from ectopy.service.segments import Segments
from ectopy.service.settings import load_settings
from ectopy.service.snapshots import Snapshots
from ectopy.service.streams import Streams
from ectopy.wire import Chunk, EpochRequest, Form, pack

FALLIBLE = [
    "a segment is begun",
    "half of the samples are written",
    "samples are written, not synced",
    "rows are written, not committed",
    "half of the snapshot is written",
    "the snapshot is not in its place",
    "an epoch is judged, its snapshot is still there",
]


def test_a_kill_within_the_making_of_the_database_leaves_one_that_opens(tmp_path: Path) -> None:
    """Each life comes one statement further on what the one before has left."""
    with Lives(tmp_path) as lives:
        kills = 0
        lives.begin(Fault("the database's schema is half made"))
        while not lives.survives():
            kills += 1
            lives.begin(Fault("the database's schema is half made", at=kills + 1))
    assert kills > 15


def test_what_a_snapshot_has_become_changes_nothing(tmp_path: Path, demo: ectopy.Recording) -> None:
    damages: list[Callable[[Path], object]] = [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:1000]),
        lambda path: path.write_bytes(_flipped(path.read_bytes(), 5000)),
        lambda path: Snapshots(path.parent).write(SnapshotRow(int(path.stem), 99, b"of another layout")),
        lambda path: path.with_suffix(".part").write_bytes(path.read_bytes()[:1000]),
    ]
    ecg = demo.samples[:, 0]
    with Lives(tmp_path, **SHORT) as lives:
        devices = [Device(f"bed-{n}", ecg, holes=False, speed=40) for n in range(len(damages))]
        ward = Ward(lives.url, [("gateway", devices)])

        async def outages(judged: Judged) -> None:
            lives.begin()
            await until(lambda: all(device.runs and device.run.acked > 20 * 360 for device in devices))
            await judged.look()
            lives.kill()
            snapshots = sorted((tmp_path / "snapshots").glob("*.state"))
            assert len(snapshots) == len(damages)
            for damage, path in zip(damages, snapshots, strict=True):
                damage(path)
            lives.begin()
            await until(lambda: all(device.run.acked > 30 * 360 for device in devices))

        through(lives, ward, outages)


def test_bytes_behind_the_last_that_has_a_row_are_passed_over(tmp_path: Path, demo: ectopy.Recording) -> None:
    with Lives(tmp_path, **SHORT) as lives:
        ward = ward_of(lives.url, demo)

        async def outages(judged: Judged) -> None:
            lives.begin(Fault("half of the samples are written", at=20))
            await asyncio.to_thread(lives.ended)
            last = max((tmp_path / "samples").glob("*.seg"))
            indexed, size = _indexed(tmp_path, last), last.stat().st_size
            assert indexed < size
            os.truncate(last, (indexed + size) // 2)
            lives.begin(Fault("samples are synced, without rows", at=20))
            await asyncio.to_thread(lives.ended)
            with max((tmp_path / "samples").glob("*.seg")).open("ab") as file:
                file.write(random.Random(0).randbytes(10_000))
            lives.begin()
            await asyncio.to_thread(lives.ready)
            await judged.look()
            await asyncio.sleep(1)

        through(lives, ward, outages)


def test_an_epoch_whose_samples_are_gone_leaves_the_others_as_they_are(tmp_path: Path, demo: ectopy.Recording) -> None:
    """They are replayed together after a restart; only the one whose file is torn can't go on."""
    names, first, second = ("whole", "torn"), range(20 * 360), range(20 * 360, 40 * 360)
    form, headers = Form(1, "float32"), {"Content-Type": "application/octet-stream"}
    stored = form.encode(demo.samples[: second.stop, :1])

    def send(api: httpx.Client, name: str, part: range) -> None:
        for start in part[:: 5 * 360]:
            frame = pack([Chunk("", 1, start, 5 * 360, stored[start * 4 : (start + 5 * 360) * 4])])
            api.post(f"/streams/{name}/samples", content=frame, headers=headers).raise_for_status()

    with serving(tmp_path) as url, httpx.Client(base_url=f"{url}/v1", timeout=30) as api:
        for name in names:
            about = {"fs": 360, "leads": ["II"], "kind": "float32"}
            api.post(f"/streams/{name}/epochs", json=about).raise_for_status()
            send(api, name, first)
    (segment,) = (tmp_path / "samples").glob("*.seg")
    os.truncate(segment, segment.stat().st_size - len(first) * 2)
    for snapshot in (tmp_path / "snapshots").iterdir():
        snapshot.unlink()
    with serving(tmp_path) as url, httpx.Client(base_url=f"{url}/v1", timeout=30) as api:
        send(api, "whole", second)
        api.post("/streams/whole/end", json={"epoch": 1, "n": second.stop}).raise_for_status()
        items = api.get("/streams/whole/verdicts").json()["items"]
    wanted = ectopy.analyze(ectopy.Recording(form.decode(stored), demo.fs, ("II",))).verdicts
    assert [(item["start_s"], item["verdict"], item["score"]) for item in items] == [
        (verdict.start_s, verdict.verdict, verdict.score) for verdict in wanted
    ]
    assert "an analysis failed" in (tmp_path / "log").read_text()


def test_samples_that_are_no_longer_kept_may_be_sent_again_and_are_not_given_back(
    tmp_path: Path, demo: ectopy.Recording
) -> None:
    form, headers = Form(1, "float32"), {"Content-Type": "application/octet-stream"}
    frame = pack([Chunk("", 1, 0, 1800, form.encode(demo.samples[:1800, :1]))])
    about = {"fs": 360, "leads": ["II"], "kind": "float32"}
    with serving(tmp_path) as url, httpx.Client(base_url=f"{url}/v1", timeout=30) as api:
        api.post("/streams/bed-1/epochs", json=about).raise_for_status()
        api.post("/streams/bed-1/samples", content=frame, headers=headers).raise_for_status()
        api.post("/streams/bed-1/end", json={"epoch": 1, "n": 1800}).raise_for_status()
    (segment,) = (tmp_path / "samples").glob("*.seg")
    segment.unlink()
    with serving(tmp_path) as url, httpx.Client(base_url=f"{url}/v1", timeout=30) as api:
        assert api.post("/streams/bed-1/samples", content=frame, headers=headers).json()["next"] == 1800
        answer = api.get("/streams/bed-1/samples")
        assert (answer.status_code, "no longer kept" in answer.json()["reason"]) == (404, True)
    assert '"level": "error"' not in (tmp_path / "log").read_text()


def test_what_waits_for_missing_samples_is_bounded_and_loses_nothing(tmp_path: Path) -> None:
    with Lives(tmp_path) as lives, httpx.Client(base_url=f"{lives.url}/v1/streams/bed", timeout=30) as api:
        lives.begin()
        lives.ready()
        api.post("/epochs", json={"fs": 360, "leads": ["I"], "gain": 100}).raise_for_status()
        raw = [n / 100 for n in range(3600)]
        taken = 0
        for first in range(1, 100):
            said = {"epoch": 1, "first": first, "samples": raw[first : first + 3000]}
            answer = api.post("/samples", json=said)
            if answer.status_code == 429:
                break
            taken += 1
        assert 3 < taken < 10
        assert "send these first" in answer.json()["reason"]
        answer = api.post("/samples", json={"epoch": 1, "first": 0, "samples": raw[:1]})
        assert answer.json()["next"] == taken + 3000
        kept = api.get("/samples").content
        assert kept == Form(1, "int16", "mV", 100).encode_values(raw)[: 2 * (taken + 3000)]


def test_a_full_disk_refuses_samples_and_goes_on_when_there_is_room(tmp_path: Path, demo: ectopy.Recording) -> None:
    with Lives(tmp_path, **SHORT, spare_mb=100) as lives:
        ward = ward_of(lives.url, demo)

        async def outages(judged: Judged) -> None:
            lives.begin()
            await asyncio.to_thread(lives.ready)
            await asyncio.sleep(1)
            lives.free(99_000_000)
            async with ward.http() as http:
                await until(lambda: _status(f"{lives.url}/readyz") == 503)
                acked = [device.run.acked for device in ward.devices]
                said = {"epoch": ward.devices[0].run.number, "first": 10**6, "samples": [0.0]}
                answer = await http.post("/v1/streams/alone/samples", json=said)
                assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
                assert "disk full" in answer.json()["reason"]
                answer = await http.post("/v1/streams/new/epochs", json={"fs": 360, "leads": ["I"]})
                assert answer.status_code == 503
                await asyncio.sleep(1)
                lives.kill()  # at the worst moment
                lives.begin()
                await until(lambda: _status(f"{lives.url}/healthz") == 200)
                offsets = [(await http.get(f"/v1/streams/{d.name}/offset")).json()["next"] for d in ward.devices]
                assert all(now >= before for now, before in zip(offsets, acked, strict=True))
            lives.free(None)
            await asyncio.to_thread(lives.ready)
            await asyncio.sleep(1)

        through(lives, ward, outages)


def test_what_hangs_without_an_error_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk, an analysis, and looks at the alarms that fail each time; well again once they go on."""
    goes_on, fails = threading.Event(), False

    def waiting(method: Callable[..., Any]) -> Callable[..., Any]:
        def waits(*given: Any) -> Any:
            goes_on.wait(30)
            return method(*given)

        return waits

    def look_round(self: Alarming, *given: Any, **named: Any) -> None:
        if fails:
            raise RuntimeError("whatever it is")
        looked(self, *given, **named)

    looked = Alarming.look_round
    monkeypatch.setattr(Alarming, "look_round", look_round)
    monkeypatch.setattr(Segments, "append", waiting(Segments.append))

    async def hang() -> None:
        nonlocal fails
        streams = Streams(load_settings(data=tmp_path), Metrics())
        await streams.start()
        await streams.begin("bed", EpochRequest(fs=360, leads=["II"], gain=200))
        live = streams.live("bed")

        async def trouble(words: str) -> None:
            await until(lambda: words in (streams.trouble or ""))

        async def well() -> None:
            goes_on.set()
            await until(lambda: streams.trouble is None)
            goes_on.clear()

        await streams.intake.offer(live, Chunk("bed", 1, 0, 3600, bytes(7200)))
        with monkeypatch.context() as impatient:
            impatient.setattr("ectopy.service.store._HANGS_S", 0.2)
            await trouble("the disk has not answered")
            await well()
        monkeypatch.setattr(Run, "take", waiting(Run.take))
        streams.intake.finish(live, 3600)
        with monkeypatch.context() as impatient:
            impatient.setattr("ectopy.service.judge._HANGS_S", 0.2)
            await trouble("an analysis doesn't end")
            streams.intake.check_room()  # samples and people's acts are taken in all the same
            await well()
        fails = True
        monkeypatch.setattr("ectopy.service.streams._UNLOOKED_S", 0.6)
        await trouble("alarms are not looked after")
        fails = False
        await well()
        goes_on.set()
        await streams.stop()

    asyncio.run(hang())


def test_a_hole_is_not_given_up_while_nothing_could_fill_it(tmp_path: Path) -> None:
    with Lives(tmp_path, late_s=3, spare_mb=100) as lives, httpx.Client(base_url=f"{lives.url}/v1/streams/bed") as api:
        lives.begin()
        lives.ready()
        api.post("/epochs", json={"fs": 360, "leads": ["II"]}).raise_for_status()
        sent = {first: {"epoch": 1, "first": first, "samples": [0.1, 0.2]} for first in (0, 4, 2)}
        for first in (0, 4):
            api.post("/samples", json=sent[first]).raise_for_status()
        lives.free(99_000_000)
        time.sleep(4)  # longer than a hole is waited for
        assert api.post("/samples", json=sent[2]).status_code == 503
        lives.free(None)
        while api.post("/samples", json=sent[2]).status_code == 503:
            time.sleep(0.1)
        assert api.get("/offset").json()["next"] == 6
        assert api.get("/gaps").json() == []


@pytest.mark.parametrize("what", ["the service", "its disk"])
def test_a_hole_is_not_given_up_while_what_fills_it_lies_unread(tmp_path: Path, what: str) -> None:
    """The service stands still, or waits for its disk, for longer than a hole is waited for; nothing is refused."""
    slow = Fault("samples are written, not synced", what="hang")
    with Lives(tmp_path, late_s=1) as lives, httpx.Client(base_url=f"{lives.url}/v1/streams/bed") as api:
        lives.begin(slow if what == "its disk" else None)
        lives.ready()
        assert lives.pid is not None
        about = {"fs": 360, "leads": ["II"], "kind": "float32"}
        api.post("/epochs", json=about).raise_for_status()
        with connect(f"{lives.url.replace('http', 'ws')}/v1/streams/bed") as device:

            def send(*firsts: int) -> None:
                for first in firsts:
                    device.send(pack([Chunk("", 1, first, 2, bytes(8))]))

            device.send('{"type": "write", "epoch": 1}')
            send(0, 4)
            if what == "the service":
                while json.loads(device.recv(5))["next"] < 2:
                    pass
                os.kill(lives.pid, signal.SIGSTOP)
            send(0, 2)  # what is there already is compared with what is on disk: so the rest waits in the socket
            if what == "the service":
                time.sleep(2)
                os.kill(lives.pid, signal.SIGCONT)
            while json.loads(device.recv(10))["next"] < 6:
                pass
        assert api.get("/gaps").json() == []


@pytest.mark.parametrize("way", ["a gap", "the end"])
def test_samples_that_were_refused_are_waited_for_before_what_was_sent_behind_them(tmp_path: Path, way: str) -> None:
    """It was on its way when the device heard of the refusal, and there is room again."""
    behind = {"type": "gap", "epoch": 1, "first": 4, "n": 2} if way == "a gap" else {"type": "end", "epoch": 1, "n": 4}
    with Lives(tmp_path, spare_mb=100) as lives, httpx.Client(base_url=f"{lives.url}/v1/streams/bed") as api:
        lives.begin()
        lives.ready()
        api.post("/epochs", json={"fs": 360, "leads": ["II"], "kind": "float32"}).raise_for_status()
        with connect(f"{lives.url.replace('http', 'ws')}/v1/streams/bed") as device:

            def told(kind: str) -> dict[str, Any]:
                while (said := json.loads(device.recv(10)))["type"] != kind:
                    pass
                return said

            device.send('{"type": "write", "epoch": 1}')
            lives.free(99_000_000)
            while _status(f"{lives.url}/readyz") != 503:
                time.sleep(0.05)
            device.send(pack([Chunk("", 1, 0, 4, bytes(16))]))
            assert told("error")["status"] == 503
            lives.free(None)
            lives.ready()
            device.send(json.dumps(behind))
            assert "send these first" in told("error")["reason"]
            device.send(pack([Chunk("", 1, 0, 4, bytes(16))]))
            device.send(json.dumps(behind))
            end = 6 if way == "a gap" else 4
            while told("ack")["next"] < end:
                pass
        gaps = [(gap["first"], gap["n"], gap["reason"]) for gap in api.get("/gaps").json()]
        assert gaps == ([(4, 2, "declared")] if way == "a gap" else [])


def test_a_disk_that_fails_for_a_while_loses_nothing(tmp_path: Path, demo: ectopy.Recording) -> None:
    with Lives(tmp_path, **SHORT) as lives:

        async def outages(judged: Judged) -> None:
            for step in FALLIBLE:
                lives.begin(Fault(step, at=RARE.get(step, 3), what="fail", times=2))
                await asyncio.to_thread(lives.ready)
                await asyncio.sleep(2)
                await judged.look()
                lives.kill()
            lives.begin()
            await asyncio.to_thread(lives.ready)

        through(lives, ward_of(lives.url, demo, length_s=20), outages, troubles={"store fails", "no snapshot"})


@pytest.mark.parametrize(
    "fault",
    [
        Fault("samples are written, not synced", what="fail", times=4),
        Fault("rows are written, not committed", 2, "fail", 4),
    ],
    ids=lambda fault: fault.step,
)
def test_while_the_store_fails_samples_sent_again_are_refused_and_its_tries_leave_nothing(
    tmp_path: Path, fault: Fault
) -> None:
    with Lives(tmp_path) as lives, httpx.Client(base_url=f"{lives.url}/v1/streams/bed", timeout=30) as api:
        lives.begin(fault)
        lives.ready()
        api.post("/epochs", json={"fs": 360, "leads": ["II"]}).raise_for_status()
        said = {"epoch": 1, "first": 0, "samples": [0.1] * 360}
        with pytest.raises(httpx.ReadTimeout):
            api.post("/samples", json=said, timeout=0.3)
        answer = api.post("/samples", json=said)
        assert answer.status_code == 503 and "the store can't write" in answer.json()["reason"]
        lives.ready()
        assert api.post("/samples", json=said).json()["next"] == 360
        assert [file.stat().st_size for file in (tmp_path / "samples").iterdir()] == [2 * 360]


def _status(url: str) -> int:
    try:
        return httpx.get(url).status_code
    except httpx.TransportError:
        return 0


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def _indexed(data: Path, segment: Path) -> int:
    """Bytes of a segment that have a row."""
    ends = [0]
    with closing(sqlite3.connect(data / "ectopy.db")) as database:
        width = {"int16": 2, "float32": 4}
        forms = {
            key: width[kind] * len(json.loads(leads))
            for key, kind, leads in database.execute("SELECT key, kind, leads FROM epochs")
        }
        for table in ("chunks", "late"):
            rows = database.execute(f"SELECT epoch, at, n FROM {table} WHERE segment = ?", [int(segment.stem)])
            ends += [at + n * forms[epoch] for epoch, at, n in rows]
    return max(ends)

"""Whatever happens to the service, nothing that it acknowledged is lost, and each verdict is given once."""

import asyncio
import json
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest
from tests.crash import STEPS, Fault, Lives
from tests.service_load import Device, Judged, Ward

import ectopy
from ectopy.service.rows import SnapshotRow
from ectopy.service.snapshots import Snapshots
from ectopy.wire import Form

RARE = {"a segment is begun": 2, "an epoch is judged, its snapshot is still there": 1}  # when a step comes to pass
SHORT = {"late_s": 1.5, "snapshot_s": 5}  # so that all there is happens within a second or two


def ward_of(url: str, demo: ectopy.Recording, length_s: float = 60) -> Ward:
    """Seven devices on every way there is."""
    ecg = demo.samples[:, 0]
    return Ward(
        url,
        [
            ("socket", [Device("alone", ecg, length_s=length_s)]),
            ("socket", [Device("two-leads", ecg, kind="float32", n_leads=2, fs="1000/3", length_s=length_s)]),
            ("gateway", [Device(f"gate-{n}", ecg, fs=(360, 250, 128)[n], length_s=length_s) for n in range(3)]),
            ("frame", [Device("frames", ecg, n_leads=3, length_s=length_s)]),
            ("json", [Device("json", ecg, gain=1000, length_s=length_s)]),
        ],
    )


def through(
    lives: Lives,
    ward: Ward,
    outages: Callable[[Judged], Awaitable[None]],
    *,
    models: list[str] | None = None,
    troubles: frozenset[str] = frozenset(),
) -> dict[str, int]:
    """Let the devices play through outages and to an end in peace; compare everything after that.

    troubles : what the service's log must tell of, one of them at least; none of anything else
    """

    async def scenario() -> dict[str, int]:
        judged = Judged(ward)
        playing = asyncio.create_task(ward.play())
        work = asyncio.ensure_future(outages(judged))
        await asyncio.wait({playing, work}, return_when=asyncio.FIRST_COMPLETED)
        if playing.done():
            work.cancel()
            await playing
        await work
        ward.stop()
        await asyncio.wait_for(playing, 120)
        counts = await judged.check(models)
        lives.kill()
        lives.begin()  # and all of it once more from the disk alone
        await asyncio.to_thread(lives.ready)
        assert await judged.check(models) == counts
        return counts

    counts = asyncio.run(scenario())
    lines = [json.loads(line) for line in lives.log().splitlines() if line.startswith("{")]
    told = {line["what"] for line in lines if line["level"] not in ("debug", "info")}
    assert told <= troubles and bool(told) == bool(troubles), lives.log()
    return counts


def killed_at_random(lives: Lives, ward: Ward, times: int, seed: int) -> dict[str, int]:
    rng = random.Random(seed)

    async def outages(judged: Judged) -> None:
        for _ in range(times):
            chance = rng.random()
            lives.begin(Fault(rng.choice(list(STEPS)), at=rng.randint(1, 30)) if chance < 0.2 else None)
            if chance > 0.35:
                await asyncio.to_thread(lives.ready)
                await judged.look()
            await asyncio.sleep(rng.uniform(0, 2))
            lives.kill()
        lives.begin()
        await asyncio.to_thread(lives.ready)
        await asyncio.sleep(1)

    counts = through(lives, ward, outages)
    print(counts)
    return counts


def test_ten_kills_under_load_lose_nothing_and_double_nothing(tmp_path: Path, demo: ectopy.Recording) -> None:
    with Lives(tmp_path, **SHORT) as lives:
        counts = killed_at_random(lives, ward_of(lives.url, demo), 10, seed=1)
    assert min(counts["verdicts"], counts["gaps"], counts["epochs"] - counts["streams"]) > 0


@pytest.mark.soak
def test_three_hundred_kills_under_load_lose_nothing_and_double_nothing(tmp_path: Path, demo: ectopy.Recording) -> None:
    with Lives(tmp_path, **SHORT) as lives:
        counts = killed_at_random(lives, ward_of(lives.url, demo), 300, seed=2)
    assert counts["conflicts"] > 0


def test_a_kill_at_each_step_of_the_store_loses_nothing_and_doubles_nothing(
    tmp_path: Path, demo: ectopy.Recording
) -> None:
    rng = random.Random(3)
    with Lives(tmp_path, **SHORT) as lives:

        async def outages(judged: Judged) -> None:
            for step in STEPS:
                lives.begin(Fault(step, RARE.get(step) or rng.randint(1, 5)))
                code = await asyncio.to_thread(lives.ended, 60)
                assert code == -9, f"{step}: {code}"
            lives.begin()
            await asyncio.to_thread(lives.ready)
            await judged.look()

        through(lives, ward_of(lives.url, demo, length_s=30), outages)


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
            await _until(lambda: all(device.runs and device.run.acked > 20 * 360 for device in devices))
            await judged.look()
            lives.kill()
            snapshots = sorted((tmp_path / "snapshots").glob("*.state"))
            assert len(snapshots) == len(damages)
            for damage, path in zip(damages, snapshots, strict=True):
                damage(path)
            lives.begin()
            await _until(lambda: all(device.run.acked > 30 * 360 for device in devices))

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


def test_another_model_goes_on_where_the_killed_one_was(tmp_path: Path, demo: ectopy.Recording) -> None:
    """Verdicts that were given stay as they are; those to come are the new model's, from an interval's edge on."""
    with Lives(tmp_path, **SHORT, model="instant") as lives:
        ward = ward_of(lives.url, demo)

        async def outages(judged: Judged) -> None:
            lives.begin()
            await _until(lambda: all(device.runs and device.run.acked > 20 * 360 for device in ward.devices[:2]))
            lives.kill()
            lives.settings["model"] = "sequence"
            lives.begin()
            await asyncio.to_thread(lives.ready)
            before = await judged.look()
            await _until(lambda: all(device.run.acked > 40 * 360 for device in ward.devices[:1]))
            assert before > 0

        through(lives, ward, outages, models=["instant", "sequence"])


def test_told_to_stop_it_keeps_what_it_has_and_ends_within_ten_seconds(tmp_path: Path, demo: ectopy.Recording) -> None:
    with Lives(tmp_path, **SHORT) as lives:
        ward = ward_of(lives.url, demo)

        async def listen() -> None:
            async with ward.http() as http, http.stream("GET", "/v1/events") as events:
                with suppress(httpx.TransportError):
                    async for _ in events.aiter_lines():
                        pass

        async def outages(judged: Judged) -> None:
            lives.begin()
            await asyncio.to_thread(lives.ready)
            listening = asyncio.create_task(listen())
            await asyncio.sleep(2)
            code, took = await asyncio.to_thread(lives.stop)
            assert code == 0
            assert took < 10
            await listening
            lives.begin()
            await asyncio.to_thread(lives.ready)
            await judged.look()

        through(lives, ward, outages)


def test_a_folder_is_one_service_s_own_as_long_as_it_lives(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ectopy", "serve", "--port", "0", "--data", str(tmp_path)]
    with Lives(tmp_path) as lives:
        lives.begin()
        lives.ready()
        second = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert second.returncode == 2
        assert "another service works with it" in second.stderr.splitlines()[-1]
        lives.kill()
        lives.begin()
        lives.ready()


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
                await _until(lambda: _status(f"{lives.url}/readyz") == 503)
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
                await _until(lambda: _status(f"{lives.url}/healthz") == 200)
                offsets = [(await http.get(f"/v1/streams/{d.name}/offset")).json()["next"] for d in ward.devices]
                assert all(now >= before for now, before in zip(offsets, acked, strict=True))
            lives.free(None)
            await asyncio.to_thread(lives.ready)
            await asyncio.sleep(1)

        through(lives, ward, outages)


@pytest.mark.parametrize(
    "step",
    [
        "a segment is begun",
        "half of the samples are written",
        "samples are written, not synced",
        "rows are written, not committed",
        "half of the snapshot is written",
        "the snapshot is not in its place",
        "an epoch is judged, its snapshot is still there",
    ],
)
def test_a_disk_that_fails_for_a_while_loses_nothing(tmp_path: Path, demo: ectopy.Recording, step: str) -> None:
    with Lives(tmp_path, **SHORT) as lives:
        ward = ward_of(lives.url, demo, length_s=20)

        async def outages(judged: Judged) -> None:
            lives.begin(Fault(step, at=RARE.get(step, 3), what="fail", times=2))
            await asyncio.to_thread(lives.ready)
            await asyncio.sleep(2)

        through(lives, ward, outages, troubles=frozenset({"store fails", "no snapshot"}))


async def _until(so: Callable[[], bool], timeout: float = 60) -> None:
    async with asyncio.timeout(timeout):
        while not so():
            await asyncio.sleep(0.02)


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

"""The streams themselves, on the test's own event loop: what can't be seen from outside."""

import asyncio
import gc
import json
import sqlite3
import time
import tracemalloc
import weakref
from collections.abc import Iterator
from dataclasses import asdict
from fractions import Fraction
from itertools import product
from math import ceil, inf
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import event, insert

from ectopy.service import schema
from ectopy.service.clock import Clock
from ectopy.service.metrics import Metrics
from ectopy.service.reading import Reader
from ectopy.service.rows import AnchorRow, EpochRow, GapRow, SamplesRow, VerdictRow
from ectopy.service.segments import Segments
from ectopy.service.settings import load_settings
from ectopy.service.streams import Streams
from ectopy.wire import Chunk, EpochRequest


def test_an_epoch_that_is_judged_and_over_stays_in_memory_no_longer(tmp_path: Path) -> None:
    async def day() -> None:
        streams = Streams(load_settings(data=tmp_path), Metrics())
        await streams.start()
        over = []
        for number in range(1, 4):
            await streams.begin("bed", EpochRequest(fs=360, leads=["II"], gain=200))
            live = streams.live("bed")
            kept = await streams.intake.offer(live, Chunk("", number, 0, 720, bytes(1440)))
            assert kept is not None
            await kept
            await streams.intake.end(live, 720)
            over.append(weakref.ref(live))
        del live
        gc.collect()
        assert [one() is None for one in over] == [True, True, False]
        await streams.stop()

    asyncio.run(day())


def test_a_hole_is_not_given_up_while_a_read_is_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fills it lies in the socket, behind samples that are compared with those on disk."""
    log = Reader.log

    def slow(self: Reader, epoch: int, first: int, end: int, width: int) -> Iterator[SamplesRow | GapRow]:
        time.sleep(1.5 if first == 0 else 0)
        return log(self, epoch, first, end, width)

    async def filled() -> list[GapRow]:
        streams = Streams(load_settings(data=tmp_path, late_s=0.5), Metrics())
        await streams.start()
        await streams.begin("bed", EpochRequest(fs=360, leads=["II"], gain=200))
        live = streams.live("bed")
        for first in (0, 4, 0, 2):
            kept = await streams.intake.offer(live, Chunk("bed", 1, first, 2, bytes(4)))
            if kept is not None:
                await kept
        assert live.committed == 6
        gaps = streams.reader.gaps(live.epoch.key)
        await streams.stop()
        return gaps

    monkeypatch.setattr(Reader, "log", slow)
    assert asyncio.run(filled()) == []


def test_what_comes_late_by_many_ways_at_once_is_kept_once(tmp_path: Path) -> None:
    async def late() -> None:
        streams = Streams(load_settings(data=tmp_path), Metrics())
        await streams.start()
        await streams.begin("bed", EpochRequest(fs=360, leads=["II"], gain=200))
        live = streams.live("bed")
        if (kept := streams.intake.declare(live, 0, 360)) is not None:
            await kept
        offers = (streams.intake.offer(live, Chunk("", 1, 0, 360, bytes(720))) for _ in range(20))
        for kept in await asyncio.gather(*offers):
            if kept is not None:
                await kept
        await streams.stop()

    asyncio.run(late())
    with sqlite3.connect(tmp_path / "ectopy.db") as database:
        assert database.execute("SELECT first, n FROM late").fetchall() == [(0, 360)]


def test_an_epochs_old_times_are_read_where_they_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour of a device that is off by a thousandth, then all of it judged anew."""
    now_s, fs, seconds, step = 0.0, 100, 3600, 60
    clock = SimpleNamespace(monotonic=lambda: now_s, time=lambda: 1e9 + now_s, perf_counter=lambda: now_s)
    monkeypatch.setattr("ectopy.service.intake.time", clock)

    def anchors() -> list[AnchorRow]:
        gc.collect()
        return [one for one in gc.get_objects() if isinstance(one, AnchorRow)]

    async def hour() -> list[int]:
        nonlocal now_s
        streams = Streams(load_settings(data=tmp_path), Metrics())
        await streams.start()
        await streams.begin("bed", EpochRequest(fs=fs, leads=["II"], kind="float32", gain=1))
        live = streams.live("bed")
        live.credit_s = seconds
        for at in range(0, seconds * fs, step * fs):
            now_s += step * 1.001
            while live.credit < step * fs:
                await asyncio.sleep(0.001)
            kept = await streams.intake.offer(live, Chunk("", 1, at, step * fs, bytes(step * fs * 4)))
            assert kept is not None
            await kept
        times = [live.clock.at(sample) for sample in range(0, seconds * fs, 777)]
        few = len(anchors())
        while (reached := live.run.reached) < live.committed:
            await asyncio.sleep(0.01)
        assert reached == seconds * fs and few < 30
        await streams.stop()
        return times

    async def anew() -> list[int]:
        streams = Streams(load_settings(data=tmp_path), Metrics())
        await streams.start()
        times = [streams.live("bed").clock.at(sample) for sample in range(0, seconds * fs, 777)]
        assert len(anchors()) < 30
        await streams.intake.end(streams.live("bed"), seconds * fs)
        await streams.stop()
        return times

    def verdicts() -> list[tuple[str, str]]:
        with sqlite3.connect(tmp_path / "ectopy.db") as database:
            bodies = [json.loads(body) for (body,) in database.execute("SELECT body FROM verdicts ORDER BY start")]
        return [(body["start_at"], body["end_at"]) for body in bodies]

    times, told = asyncio.run(hour()), verdicts()
    with sqlite3.connect(tmp_path / "ectopy.db") as database:
        rows = database.execute("SELECT * FROM anchors ORDER BY sample").fetchall()
        database.execute("DELETE FROM verdicts")
    for snapshot in (tmp_path / "snapshots").iterdir():
        snapshot.unlink()
    whole = Clock(1, Fraction(fs), 0, anchors=[AnchorRow(*row) for row in rows])
    assert len(rows) > 55
    assert times == [whole.at(sample) for sample in range(0, seconds * fs, 777)]
    del whole
    assert times == asyncio.run(anew())
    assert verdicts()[: len(told)] == told and len(told) > 700


def test_a_start_takes_no_memory_for_what_is_over(tmp_path: Path) -> None:
    """Epochs that are judged, and a log of alarms that is folded anew, as after an update."""

    async def start() -> int:
        streams = Streams(load_settings(data=tmp_path), Metrics())
        tracemalloc.start()
        await streams.start()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert streams.live("bed").epoch.number == 10_001
        await streams.stop()
        return most

    async def begin() -> None:
        streams = Streams(load_settings(data=tmp_path), Metrics())
        await streams.start()
        await streams.begin("bed", EpochRequest(fs=360, leads=["II"], gain=200))
        await streams.stop()

    asyncio.run(begin())
    with sqlite3.connect(tmp_path / "ectopy.db") as database:
        for number in range(2, 10_002):
            database.execute(
                "INSERT INTO epochs SELECT ?, stream, ?, fs, leads, kind, unit, gain, offset, ?, started_us, "
                "device_us, 0, 1, choice FROM epochs WHERE number = 1",
                (number, number, f"{number:500}"),
            )
        database.execute("DELETE FROM alarm_log")
        viewed = ((n, n, f'{{"at_us": {n}}}{"":1000}') for n in range(1, 10_001))
        database.executemany("INSERT INTO alarm_log (id, at_us, kind, body) VALUES (?, ?, 'viewed', ?)", viewed)
        database.execute("DELETE FROM desk")
    assert asyncio.run(start()) < 8_000_000


def test_verdicts_of_some_seconds_are_found_whatever_came_before(tmp_path: Path) -> None:
    """Two epochs of other rates; the first has run for days."""
    database, steps = schema.open_database(tmp_path / "ectopy.db"), list[int]()
    epochs = [
        EpochRow(1, "bed", 1, Fraction(360), ("II",), "int16", "mV", 200.0, 0.0, None, 0, None),
        EpochRow(2, "bed", 2, Fraction(1000, 3), ("II",), "int16", "mV", 200.0, 0.0, None, 0, None),
    ]
    rows = [(epochs[0], 5.0 * n) for n in range(20_000)] + [(epochs[1], 5.0 * n) for n in range(200)]
    verdicts = [
        VerdictRow(n, epoch.key, ceil(start_s * epoch.fs), start_s, "normal", f'{{"end_s": {start_s + 5.0}}}')
        for n, (epoch, start_s) in enumerate(rows, 1)
    ]
    with database.begin() as connection:
        connection.execute(insert(schema.verdicts), [asdict(row) for row in verdicts])
    event.listen(database, "checkout", lambda one, *_: one.set_progress_handler(lambda: steps.append(1), 1000))
    reader = Reader(database, Segments(tmp_path / "samples"))
    asked = ((0.0, 5.0), (4.99, 700.0), (700.0, None), (None, 10.0), (99_000.0, 99_990.0), (inf, None))
    for some, (start_s, end_s) in product((epochs, epochs[:1], epochs[1:]), asked):
        keys, end = [epoch.key for epoch in some], inf if end_s is None else end_s
        within = [row for row in verdicts if row.start_s + 5 > (start_s or 0.0) and row.start_s < end]
        wanted = [row.id for row in within if row.epoch in keys]
        found = reader.verdicts(epochs=some, limit=100, start_s=start_s, end_s=end_s)
        assert [number for number, _ in found] == wanted[:100]
    steps.clear()
    assert len(reader.verdicts(epochs=epochs[:1], limit=100, start_s=99_000.0, end_s=99_990.0)) == 100
    assert len(steps) < 10
    database.dispose()

"""The service under load: latency from sample to verdict, CPU and memory a stream, what requests beside it cost, and
how it comes back after an outage and after `kill -9`.

    service.py [PART ...] [--streams N] [--seconds S]

The load comes from this process, the service runs in one of its own, on the same cores. Phases of devices are spread
over the 5 s between two verdicts, as they are where nobody starts them all at once.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil
import uvloop

from _common import heading, judged, row, run
from _load import (
    FS,
    INTERVAL_S,
    NEEDED_S,
    PERIOD_S,
    Asked,
    Device,
    Events,
    Gateway,
    Http,
    Source,
    Tally,
    ask_all,
    ask_steadily,
    begin_epochs,
    request,
)
from ectopy.data import read, records
from ectopy.errors import EctopyError, RecordError
from ectopy.service.settings import load_settings

ECTOPY = str(Path(sys.executable).with_name("ectopy"))
STRIPS = 200  # a second, of 10 s each
OUTAGE_S = 60
STEP = 1.25  # from one number of a gateway's streams to the next
PATIENCE_S = 15.0  # for verdicts that are still owed
LATE_S = 1.0  # after its due time: from there on a verdict counts as not caught up


class Service:
    """`ectopy serve` in a process of its own."""

    def __init__(self, folder: Path):
        self._folder = folder
        self.port = 0
        self.began = 0.0

    def start(self) -> None:
        self.began = time.monotonic()
        command = [ECTOPY, "serve", "--port", str(self.port), "--data", str(self._folder)]
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it is open as long as the process
        self._process = subprocess.Popen(command, stderr=self._log)
        self.process = psutil.Process(self._process.pid)

    async def ready(self) -> None:
        """Until `/readyz` says so."""
        while not self.port:
            await asyncio.sleep(0.02)
            self._log.seek(0)
            told = self._log.read()
            if found := re.search(r"http://[^ ]*:(\d+)", told):
                self.port = int(found[1])
            elif self._process.poll() is not None:
                sys.exit(f"service.py: the service ended: {told}")
        http, asked = Http(self.port), request("GET", "/readyz")
        while True:
            try:
                if (await http.ask(asked))[0] == 200:
                    break
            except OSError:
                http.close()
            await asyncio.sleep(0.02)
        http.close()

    def cpu_s(self) -> dict[str, float]:
        """Seconds used so far: by the process, by its thread with the event loop, and by its workers."""
        times = self.process.cpu_times()
        loop = next(t for t in self.process.threads() if t.id == self.process.pid)
        workers = (child.cpu_times() for child in self.process.children())
        return {
            "all": times.user + times.system,
            "loop": loop.user_time + loop.system_time,
            "workers": sum(w.user + w.system for w in workers),
        }

    def memory_mb(self) -> float:
        return self.process.memory_info().rss / 1e6

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
        self._log.seek(0)
        errors = [line for line in self._log if '"level": "error"' in line]
        if errors:
            row(f"errors in the service's log: {len(errors)}; the first: {errors[0][:300]}")
        self._log.close()


class Bench:
    """What the parts share."""

    def __init__(self, n_streams: int, seconds: int):
        self.n_streams, self.seconds = n_streams, seconds
        self.signals = signals()

    def sources(self, seconds: int) -> list[Source]:
        return [Source(signal, seconds) for signal in self.signals]

    async def devices(self, service: Service, tally: Tally, seconds: int) -> list[Device]:
        """Each with its epoch and its socket, before its first sample."""
        sources = self.sources(seconds)
        await begin_epochs(service.port, self.n_streams)
        devices = [Device(i, sources[i % len(sources)], tally, service.port) for i in range(self.n_streams)]
        for some in (devices[i : i + 50] for i in range(0, len(devices), 50)):
            await asyncio.gather(*(device.connect() for device in some))
        return devices


def begin(devices: Sequence[Device], seconds: int, period_s: float = PERIOD_S) -> float:
    """Have them begin within a period; gives when."""
    at = time.monotonic() + 0.5
    for number, device in enumerate(devices):
        device.begin(at + period_s * number / len(devices), seconds)
    return at


async def live(bench: Bench, service: Service) -> None:
    """Devices as they are: each for itself, and its phase by chance."""
    await _live(bench, service, PERIOD_S, "phases spread")


async def phase(bench: Bench, service: Service) -> None:
    """All of them in one: every verdict is due at the same moment."""
    await _live(bench, service, 0.0, "all in phase")


async def _live(bench: Bench, service: Service, period_s: float, what: str) -> None:
    n, seconds, tally = bench.n_streams, bench.seconds, Tally()
    empty_mb = service.memory_mb()
    devices = await bench.devices(service, tally, seconds)
    at = begin(devices, seconds, period_s)
    steady = at + PERIOD_S + NEEDED_S  # from here on all give verdicts
    await asyncio.sleep(steady - time.monotonic())
    before, own, since = service.cpu_s(), time.process_time(), time.monotonic()
    await asyncio.sleep(at + seconds - time.monotonic())
    used = {name: value - before[name] for name, value in service.cpu_s().items()}
    own, stream_seconds = time.process_time() - own, n * (time.monotonic() - since)
    await tally.all_told(PATIENCE_S)
    memory_mb = service.memory_mb()
    row(f"{n:,} live streams, {what}, {seconds} s", "p50", "p99", "most")
    _latency_row("  sample to verdict, ms", tally.latencies())
    _latency_row("  of it, the load's own delay, ms", sorted(tally.sent[key] - tally.due[key] for key in tally.sent))
    row("CPU a stream-second, µs", "all", "event loop", "the rest", "this load")
    parts = (used["all"], used["loop"], used["all"] - used["loop"], own)
    row("", *(f"{1e6 * part / stream_seconds:,.0f}" for part in parts))
    _figures(tally)
    if period_s:
        judged("sample to verdict, p99", 1e3 * _at(tally.latencies(), 0.99), "ms", below=250)
    judged("CPU a stream-second", 1e6 * used["all"] / stream_seconds, "µs", below=400)
    judged(f"memory ({empty_mb:,.0f} MB empty)", memory_mb, "MB", below=300 + 0.2 * n)
    row("memory a stream", f"{1e3 * (memory_mb - empty_mb) / n:,.0f} kB")
    for device in devices:
        device.close()


async def gateway(bench: Bench, folder: Path) -> None:
    """Frames of many streams on one socket; verdicts by `/v1/events`. More and more streams, until it is too slow."""
    n, most = bench.n_streams, 0
    row(f"streams of a gateway, {bench.seconds} s", "p50, ms", "p99, ms", "most, ms", "CPU, µs")
    while True:
        service = Service(folder / f"gateway-{n}")
        service.start()
        await service.ready()
        tally = Tally()
        slots: list[list[tuple[int, Source]]] = [[] for _ in range(10 * PERIOD_S)]
        sources = bench.sources(bench.seconds)
        for number in range(n):
            slots[number % len(slots)].append((number, sources[number % len(sources)]))
        await begin_epochs(service.port, n)
        loop = asyncio.get_running_loop()
        made = Gateway(slots, tally, bench.seconds)
        await loop.create_connection(lambda made=made: made, "127.0.0.1", service.port)
        await made.open
        for number in range(n):
            made.say(type="write", stream=f"d{number}", epoch=1)
        events, _ = await loop.create_connection(lambda tally=tally: Events(tally), "127.0.0.1", service.port)
        await asyncio.sleep(1)
        made.begin(time.monotonic())
        await asyncio.sleep(PERIOD_S + NEEDED_S)
        used, since = service.cpu_s()["all"], time.monotonic()
        await asyncio.sleep(bench.seconds - PERIOD_S - NEEDED_S)
        used, since = service.cpu_s()["all"] - used, time.monotonic() - since
        await tally.all_told(PATIENCE_S)
        times = tally.latencies()
        events.close()
        made.close()
        service.stop()
        row(f"  {n:,}", *(f"{1e3 * _at(times, q):,.0f}" for q in (0.5, 0.99, 1)), f"{1e6 * used / n / since:,.0f}")
        if tally.missing() or tally.refused or _at(times, 0.99) >= 0.25:
            _figures(tally)
            break
        most, n = n, round(n * STEP)
    row("most with p99 under 250 ms", f"{most:,}" if most else f"under {n:,}")


async def analyze(bench: Bench, service: Service) -> None:
    """Strips beside live streams."""
    seconds, tally = bench.seconds, Tally()
    warm = PERIOD_S + NEEDED_S
    devices = await bench.devices(service, tally, warm + 2 * seconds)
    requests = [request("POST", "/v1/analyze", strip) for strip in strips(bench.signals)]
    at = begin(devices, warm + 2 * seconds)
    middle = at + warm + seconds
    await asyncio.sleep(middle - time.monotonic())
    before, since = service.cpu_s(), time.monotonic()
    asked = await ask_steadily(service.port, requests, STRIPS, seconds)
    took = time.monotonic() - since
    after = service.cpu_s()
    await tally.all_told(PATIENCE_S)
    row(f"{STRIPS} strips a second, {seconds} s", "p50", "p99", "most")
    _latency_row("  request to answer, ms", asked.taken)
    alone, beside = tally.latencies(at + warm, middle), tally.latencies(middle, middle + seconds)
    _latency_row(f"  {len(devices):,} live streams alone, ms", alone)
    _latency_row("  and with the strips, ms", beside)
    worker_s = after["workers"] - before["workers"]
    row("CPU of a worker for a strip, µs", f"{1e6 * worker_s / max(len(asked.taken), 1):,.0f}")
    _figures(tally, asked)
    judged("strips answered a second", len(asked.taken) / took, "", at_least=STRIPS)
    judged("live p99 with strips, to that without", _at(beside, 0.99) / _at(alone, 0.99), "x", below=1.2)
    for device in devices:
        device.close()


async def outage(bench: Bench, service: Service) -> None:
    """All are silent for a minute, and then send what has heaped up, while they go on."""
    before_s, tally = PERIOD_S + NEEDED_S + 3, Tally()
    total = before_s + OUTAGE_S + max(bench.seconds, 60)
    devices = await bench.devices(service, tally, total)
    at = begin(devices, total)
    await asyncio.sleep(at + before_s - time.monotonic())
    for device in devices:
        device.silent = True
    await asyncio.sleep(OUTAGE_S)
    back = time.monotonic()
    for device in devices:
        device.silent = False
        device.send()
    await asyncio.sleep(at + total - time.monotonic())
    await tally.all_told(PATIENCE_S)
    row(f"{len(devices):,} live streams, all silent for {OUTAGE_S} s")
    _figures(tally)
    judged("until all have caught up", _caught_up(tally, back), "s", below=60)
    for device in devices:
        device.close()


async def kill(bench: Bench, service: Service) -> None:
    """`kill -9` and a new start, while devices go on."""
    tally, before_s, after_s = Tally(), PERIOD_S + NEEDED_S + 33, 30  # by then each has a snapshot
    devices = await bench.devices(service, tally, before_s + after_s)
    at = begin(devices, before_s + after_s)
    await asyncio.sleep(at + before_s - time.monotonic())
    service.kill()
    killed = time.monotonic()
    service.start()
    await service.ready()
    ready_s = time.monotonic() - killed
    await asyncio.sleep(at + before_s + after_s + PERIOD_S - time.monotonic())
    await tally.all_told(INTERVAL_S)
    firsts: dict[int, float] = {}
    for (stream, _), told in tally.told.items():
        if told > killed:
            firsts[stream] = min(firsts.get(stream, told), told)
    waited = sorted(told - killed for told in firsts.values())
    due = (before_s + after_s - NEEDED_S) // INTERVAL_S + 1
    kept = await _kept(service, len(devices))
    wrong = sum(starts != list(range(due)) for starts in kept)
    for stream, starts in enumerate(kept):
        for interval in starts:  # kept just before it died: a device asks for it
            tally.told.setdefault((stream, interval), killed)
    row(f"kill -9 with {len(devices):,} live streams", "p50", "p99", "most")
    row("  first verdict after it, s", *(f"{_at(waited, q):,.1f}" for q in (0.5, 0.99, 1)))
    row("streams not judged whole and once", f"{wrong:,} of {len(devices):,}")
    _figures(tally)
    judged("until it is ready", ready_s, "s", below=3)
    judged("until each stream's first verdict", _at(waited, 1), "s", below=15)
    judged("until all have caught up", _caught_up(tally, killed), "s", below=60)
    for device in devices:
        device.close()


async def _kept(service: Service, n: int) -> list[list[int]]:
    """Numbers of the intervals that each stream has verdicts of."""
    pages = await ask_all(service.port, [request("GET", f"/v1/streams/d{i}/verdicts?limit=1000") for i in range(n)])
    starts = (re.findall(rb'"start_sample":(\d+)', page) for _, page in pages)
    return [[int(start) // (INTERVAL_S * FS) for start in some] for some in starts]


def _caught_up(tally: Tally, since: float) -> float:
    """Seconds until the last verdict that came late."""
    late = (told for key, told in tally.told.items() if told > tally.due[key] + LATE_S)
    return max(late, default=since) - since


def _figures(tally: Tally, asked: Asked | None = None) -> None:
    """What must not be."""
    told = f"{len(tally.told):,} verdicts"
    row(f"{told}: {tally.missing():,} missing, {tally.doubled:,} doubled, {tally.not_analysed:,} not analysed")
    if tally.refused or tally.broken:
        first = tally.refused[0][:200] if tally.refused else ""
        row(f"{len(tally.refused):,} chunks refused, {tally.broken:,} sockets closed  {first}")
    if asked and asked.refused:
        row(f"strips refused, by status: {asked.refused}")  # 429: too many waited


def _latency_row(what: str, times: Sequence[float]) -> None:
    row(what, *(f"{1e3 * _at(times, q):,.1f}" for q in (0.5, 0.99, 1)))


def _at(ascending: Sequence[float], quantile: float) -> float:
    if not ascending:
        return float("nan")
    return ascending[min(int(quantile * len(ascending)), len(ascending) - 1)]


def signals() -> list[bytes]:
    """A lead of each record of mitdb, else of the demo, as a device stores it: int16, 200 a mV."""
    try:
        names: tuple[str, ...] = records("mitdb")
    except RecordError:
        names = ("demo",)
    leads = (read(name).samples[: 300 * FS, 0] for name in names)
    return [np.rint(np.nan_to_num(lead) * 200).astype("<i2").tobytes() for lead in leads]


def strips(stored: Sequence[bytes]) -> list[dict[str, Any]]:
    """10 s of each as a request."""
    leads = (np.frombuffer(lead, "<i2")[FS * 60 : FS * 70] / 200 for lead in stored)
    return [{"fs": FS, "samples": lead.round(3).tolist()} for lead in leads]


def fdatasync_ms(folder: Path) -> list[float]:
    """What the disk takes to confirm 64 KiB at a file's end."""
    taken = []
    with (folder / "synced").open("wb", buffering=0) as file:
        for _ in range(100):
            file.write(bytes(65536))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(1e3 * (time.perf_counter() - began))
    return sorted(taken)


PARTS: dict[str, Callable[[Bench, Service], Coroutine[Any, Any, None]]] = {
    "live": live,
    "phase": phase,
    "analyze": analyze,
    "outage": outage,
    "kill": kill,
}


async def _run(part: str, bench: Bench, folder: Path) -> None:
    if part == "gateway":
        await gateway(bench, folder)
        return
    service = Service(folder / part)
    service.start()
    try:
        await service.ready()
        await PARTS[part](bench, service)
    finally:
        service.stop()


def benchmark() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    names = [*PARTS, "gateway"]
    known = [*names, "all"]
    parser.add_argument("part", nargs="*", default="all", choices=known, metavar="PART", help=f"{', '.join(names)}")
    parser.add_argument("--streams", type=int, default=1000, help="that the gateway begins with, and the rest keep to")
    parser.add_argument("--seconds", type=int, default=60, help="of live, phase, analyze (twice) and gateway (each)")
    given = parser.parse_args()
    if given.seconds < 30 or given.streams < 1:
        raise EctopyError("expected at least 30 seconds and one stream: the first verdicts come after 12 s")
    heading(
        f"service: one lead, 360 Hz, chunks of 1 s, model '{load_settings().model}'",
        *("ectopy", "fastapi", "uvicorn", "websockets", "sqlalchemy", "onnxruntime"),
    )
    bench = Bench(given.streams, given.seconds)
    gc.disable()  # a collection over a hundred thousand frames would be taken for the service's delay
    with tempfile.TemporaryDirectory(prefix="ectopy-bench-") as name:
        for number, part in enumerate(names if "all" in given.part else given.part):
            synced = fdatasync_ms(Path(name))
            print(end="\n" if number else "")
            row("fdatasync of 64 KiB, ms", f"{median(synced):.2f} p50", f"{synced[98]:.2f} p99")
            uvloop.run(_run(part, bench, Path(name)))


if __name__ == "__main__":
    run(benchmark)

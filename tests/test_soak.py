"""What only shows after hours; `make soak`."""

import asyncio
import re
import resource
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from tests.serving import serving

from ectopy import Recording, StreamAnalyzer
from ectopy.client import Client
from ectopy.wire import Chunk, EpochRequest

FS, N_STREAMS, MINUTES = 360, 100, 30


@pytest.mark.soak
def test_a_day_of_streaming_takes_no_more_memory_than_its_first_hour(demo: Recording) -> None:
    stream = StreamAnalyzer(demo.fs, demo.leads)
    seconds = np.split(demo.samples, 300)
    count = 0
    for repeat in range(24 * 12):
        if repeat == 12:
            after_an_hour = _peak_mb()
        for second in seconds:
            count += len(stream.push(second))
    count += len(stream.finish())
    assert count == 24 * 3600 / 5
    assert _peak_mb() - after_an_hour < 5


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


@pytest.mark.soak
@pytest.mark.skipif(sys.platform != "linux", reason="the service tells its memory on Linux only")
def test_half_an_hour_of_live_streams_takes_no_more_memory_than_its_first_ten_minutes(
    demo: Recording, tmp_path: Path
) -> None:
    parts = np.split((200 * demo.samples[:, 0]).astype("<i2"), 300)
    with serving(tmp_path) as url:
        used = asyncio.run(_half_an_hour(url, [part.tobytes() for part in parts]))
    print("\nMB each minute:", *(f"{mb:.0f}" for mb in used))
    assert max(used) < 300 + 0.2 * N_STREAMS
    assert max(used[-5:]) - max(used[5:10]) < 10


async def _half_an_hour(url: str, parts: list[bytes]) -> list[float]:
    """Live devices, a second of signal each second; the service's memory in MB, minute by minute."""
    async with Client(url) as client, httpx.AsyncClient(base_url=url) as api:
        for n in range(N_STREAMS):
            await client.open_epoch(f"bed-{n}", EpochRequest(fs=FS, leads=["II"], gain=200))
        used, begun = [], time.monotonic()
        for second in range(60 * MINUTES):
            await asyncio.sleep(max(begun + second - time.monotonic(), 0))
            for n in range(N_STREAMS):
                await client.push(f"bed-{n}", Chunk("", 1, second * FS, FS, parts[(second + n) % len(parts)]))
            if second % 60 == 59:
                metrics = (await api.get("/metrics")).text
                told = re.search(r"^process_resident_memory_bytes (\S+)", metrics, re.MULTILINE)
                assert told
                used.append(float(told[1]) / 1e6)
    return used

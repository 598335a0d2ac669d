"""`ectopy.analyze` on 24 hours of one lead: time, memory, growth with length, and NeuroKit2 in the same run.

The first leads of the 48 half hours of the MIT-BIH Arrhythmia Database joined, 360 Hz. The same day is analysed as 24
recordings of 1 h, 4 of 6 h and 1 of 24 h, so that each length sees the same signal. Reading is not counted; the tables
of intervals and beats are, because the peer gives its own.
"""

from __future__ import annotations

import resource
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec

import numpy as np

from _common import alone, heading, judged, row, run
from ectopy.data import database, read, records
from ectopy.errors import RecordError

FS = 360
HOUR = 3600 * FS
DAY = 24 * HOUR

P = ParamSpec("P")


@dataclass(frozen=True)
class Cost:
    """wall_s, cpu_s : seconds; peak_mb : the process's largest memory until then, the signal included"""

    wall_s: float
    cpu_s: float
    peak_mb: float


def benchmark() -> None:
    names = records("mitdb")
    if len(names) < database("mitdb").records:
        raise RecordError(f"mitdb: {len(names)} of 48 records are here; 'ectopy data get mitdb' fetches the rest")
    heading(
        "analyze: 24 h of one lead, 360 Hz, one thread",
        *("ectopy", "numpy", "scipy", "onnxruntime", "neurokit2", "pandas"),
    )
    row("", "wall", "CPU", "CPU an hour", "x real time", "peak memory")
    row("the signal alone", *[""] * 4, f"{alone(signal_alone, names):,.0f} MB")
    lengths = alone(ectopy_costs, names)
    for hours, parts in lengths.items():
        show(f"ectopy.analyze, {24 // hours} x {hours} h", parts, 24)
    peer = alone(neurokit_cost, names)
    show("neurokit2.ecg_process, the first hour", [peer], 1)
    first = lengths[1][0]
    show("ectopy.analyze, the first hour", [first], 1)
    (day,) = lengths[24]
    print()
    row("", "figure", "aim", "better by")
    judged("24 h, times real time per core", 24 * 3600 / day.cpu_s, "x", at_least=3500)
    judged("24 h, peak memory", day.peak_mb / 1000, "GB", below=1.5)
    judged("faster than neurokit2.ecg_process, an hour", peer.cpu_s / first.cpu_s, "x", at_least=20)
    row("an hour out of 24 h costs, of one by itself", f"{day.cpu_s / sum(p.cpu_s for p in lengths[1]):.2f} x")


def show(what: str, parts: list[Cost], hours: int) -> None:
    wall, cpu = sum(part.wall_s for part in parts), sum(part.cpu_s for part in parts)
    cells = f"{wall:.1f} s", f"{cpu:.1f} s", f"{cpu / hours:.2f} s", f"{hours * 3600 / cpu:,.0f}"
    row(what, *cells, f"{parts[-1].peak_mb:,.0f} MB")


def signal(names: tuple[str, ...], n: int) -> np.ndarray:
    """The first `n` samples of the joined first leads, (n,) float32 in mV."""
    joined, filled = np.empty(n, np.float32), 0
    for name in names:
        lead = read(name).samples[: n - filled, 0]
        joined[filled : filled + len(lead)] = lead
        filled += len(lead)
        if filled == n:
            break
    return joined


def signal_alone(names: tuple[str, ...]) -> float:
    """Peak memory in MB of a process that holds the day's signal and has Ectopy loaded."""
    import ectopy.analysis  # noqa: F401

    signal(names, DAY)
    return peak_mb()


def ectopy_costs(names: tuple[str, ...]) -> dict[int, list[Cost]]:
    """Length in hours -> the cost of each part of the day; short parts first, because peaks only grow."""
    from ectopy import analyze

    def tables(part: np.ndarray) -> object:
        result = analyze(part, fs=FS)
        return result, result.intervals, result.beats

    day = signal(names, DAY)
    tables(day[: 60 * FS])  # loads the model
    return {hours: [cost(tables, part) for part in np.split(day, 24 // hours)] for hours in (1, 6, 24)}


def neurokit_cost(names: tuple[str, ...]) -> Cost:
    """The cost of the day's first hour."""
    import neurokit2

    warnings.simplefilter("ignore")  # it prints thousands, which would be charged to it
    hour = signal(names, HOUR).astype(float)
    neurokit2.ecg_process(hour[: 60 * FS], sampling_rate=FS)
    return cost(neurokit2.ecg_process, hour, sampling_rate=FS)


def cost(work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    result = work(*args, **kwargs)
    spent = time.perf_counter() - wall, time.process_time() - cpu
    del result
    return Cost(*spent, peak_mb())


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


if __name__ == "__main__":
    run(benchmark)

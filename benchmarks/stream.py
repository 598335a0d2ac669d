"""`StreamAnalyzer` fed a second at a time: CPU a stream-second, memory a stream, and NeuroKit2 in the same run.

The peer is what one would do with it for a live signal: `neurokit2.ecg_process` on the last 10 s, each second anew.
It finds beats and judges none.
"""

from __future__ import annotations

import time
import warnings
from statistics import median

import numpy as np

from _common import alone, heading, judged, row, run
from ectopy.data import read, records
from ectopy.zoo import installed

SECONDS = 300  # of each record
STREAMS = 200
FED = 60  # seconds to each of them
TOGETHER = 16  # streams at once, as the service takes them
PEER_RECORDS = 8
PEER_WINDOW, PEER_SECONDS = 10, 15
PARTS = ("  conditioning", "  model", "  beats and verdicts")  # of a second pass, with a clock between them


def benchmark() -> None:
    names = records("mitdb")
    heading(
        f"stream: one lead, 360 Hz, chunks of 1 s, one thread; {len(names)} records of mitdb",
        *("ectopy", "numpy", "scipy", "onnxruntime", "neurokit2"),
    )
    costs = alone(ectopy_costs, names)
    row("CPU a stream-second, µs", "median", "least", "most")
    for part, column in zip(("StreamAnalyzer.push", *PARTS), costs.T, strict=True):
        row(f"  {part}", *(f"{1e6 * f(column):,.0f}" for f in (np.median, np.min, np.max)))
    at_once = alone(together_cost, names[:TOGETHER])
    row(f"  {TOGETHER} streams at once", f"{1e6 * at_once:,.0f}")
    some = names[:: max(1, len(names) // PEER_RECORDS)]
    for model in installed()[1:]:
        others = alone(push_costs, (model, *some))
        row(f"  {model} ({len(some)} records)", *(f"{1e6 * f(others):,.0f}" for f in (np.median, np.min, np.max)))
    peer = alone(neurokit_costs, some)
    row(f"  neurokit2 ({len(some)} records)", *(f"{1e6 * f(peer):,.0f}" for f in (np.median, np.min, np.max)))
    grown_kb, saved_kb = alone(memory_kb, names)
    total = float(np.median(costs[:, 0]))
    print()
    row("", "figure", "aim", "better by")
    judged("CPU a stream-second, median record", 1e6 * total, "µs", below=300)
    judged(f"the same, {TOGETHER} streams at once", 1e6 * at_once, "µs", below=300)
    judged(f"memory a stream ({STREAMS} fed for {FED} s)", grown_kb / 1000, "MB", below=1)
    row("its state saved, largest", f"{saved_kb:.0f} kB")
    row("cheaper than neurokit2 on the last 10 s", f"{median(peer) / total:,.0f} x")


def ectopy_costs(names: tuple[str, ...]) -> np.ndarray:
    """(n_records, 4) CPU seconds a stream-second: of `push`, and of the three calls that it makes."""
    from ectopy import StreamAnalyzer

    StreamAnalyzer(360).push(np.sin(np.arange(3600)))  # loads the model
    costs = np.zeros((len(names), 1 + len(PARTS)))
    for spent, name in zip(costs, names, strict=True):
        chunks = seconds(read(name).samples[:, 0], SECONDS)
        stream = StreamAnalyzer(360)
        began = time.thread_time()
        for chunk in chunks:
            stream.push(chunk)
        spent[0] = time.thread_time() - began
        stream = StreamAnalyzer(360)
        for chunk in chunks:
            clock = [time.thread_time()]
            items = stream.prepare(chunk)
            clock.append(time.thread_time())
            scores = [stream.run(item) for item in items]
            clock.append(time.thread_time())
            for item, score in zip(items, scores, strict=True):
                stream.decide(item, score)
            clock.append(time.thread_time())
            spent[1:] += np.diff(clock)
    return costs / SECONDS


def together_cost(names: tuple[str, ...]) -> float:
    """CPU seconds a stream-second of streams that are pushed a second each at once."""
    from ectopy.analysis import StreamAnalyzer, push_together

    signals = [seconds(read(name).samples[:, 0], SECONDS) for name in names]
    push_together([StreamAnalyzer(360)], [np.sin(np.arange(3600))])  # loads the model
    streams = [StreamAnalyzer(360) for _ in names]
    began = time.thread_time()
    for chunks in zip(*signals, strict=True):
        push_together(streams, chunks)
    return (time.thread_time() - began) / SECONDS / len(names)


def push_costs(model_and_names: tuple[str, ...]) -> list[float]:
    """CPU seconds a stream-second of `push` with another model, a record each."""
    from ectopy import StreamAnalyzer

    model, *names = model_and_names
    StreamAnalyzer(360, model=model).push(np.sin(np.arange(3600)))  # loads the model
    costs = []
    for name in names:
        chunks = seconds(read(name).samples[:, 0], SECONDS)
        stream = StreamAnalyzer(360, model=model)
        began = time.thread_time()
        for chunk in chunks:
            stream.push(chunk)
        costs.append((time.thread_time() - began) / SECONDS)
    return costs


def neurokit_costs(names: tuple[str, ...]) -> list[float]:
    """CPU seconds a stream-second, a record each."""
    import neurokit2

    warnings.simplefilter("ignore")  # it prints many, which would be charged to it
    costs = []
    for name in names:
        lead = read(name).samples[:, 0].astype(float)
        neurokit2.ecg_process(lead[: PEER_WINDOW * 360], sampling_rate=360)
        began = time.thread_time()
        for end in range(PEER_WINDOW, PEER_WINDOW + PEER_SECONDS):
            neurokit2.ecg_process(lead[(end - PEER_WINDOW) * 360 : end * 360], sampling_rate=360)
        costs.append((time.thread_time() - began) / PEER_SECONDS)
    return costs


def memory_kb(names: tuple[str, ...]) -> tuple[float, float]:
    """What the process grows by for each stream that it keeps, and the largest saved state; kB."""
    import psutil

    from ectopy import StreamAnalyzer

    signals = [seconds(read(name).samples[:, 0].copy(), FED) for name in names]

    def fed(n: int) -> list[StreamAnalyzer]:
        streams = [StreamAnalyzer(360) for _ in range(n)]
        for second in range(FED):
            for number, stream in enumerate(streams):
                stream.push(signals[number % len(signals)][second])
        return streams

    process = psutil.Process()
    first = fed(STREAMS // 10)  # what all share
    before = process.memory_info().rss
    streams = fed(STREAMS)
    grown = process.memory_info().rss - before
    return grown / STREAMS / 1e3, max(len(stream.save()) for stream in first + streams) / 1e3


def seconds(lead: np.ndarray, n: int) -> list[np.ndarray]:
    """The first `n` seconds of a lead, one by one."""
    return np.split(lead[: n * 360], n)


if __name__ == "__main__":
    run(benchmark)

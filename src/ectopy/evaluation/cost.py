"""What a model costs: parameters, and CPU as a live stream."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise

import numpy as np

from ectopy.analysis import StreamAnalyzer
from ectopy.recording import Recording
from ectopy.zoo import TrainedModel

_SECONDS, _PASSES = 300, 3  # of signal that are timed, and how often
WITHIN_US = 300.0  # CPU a stream-second that the default model may take at most, the whole path


@dataclass(frozen=True)
class Cost:
    """Of one lead, fed a second at a time, on one thread.

    stream_us : CPU µs a second of signal, the whole path
    verdict_ms, slow_verdict_ms : CPU of the call that gives a verdict: median, 99th percentile
    wait_s : how long after an interval's end its verdict can be given: seconds of signal that it needs
    """

    stream_us: float
    verdict_ms: float
    slow_verdict_ms: float
    wait_s: float


def stream_cost(model: TrainedModel, recording: Recording) -> Cost:
    """Feed the first lead as a device would; of three passes the quickest counts, as others' work only slows one."""
    lead, n = recording.samples[:, :1], min(_SECONDS, int(recording.duration_s))
    edges = np.ceil(np.arange(n + 1) * float(recording.fs)).astype(int)
    chunks = [lead[begin:end] for begin, end in pairwise(edges)]
    passes = [_pushed(model, recording, chunks) for _ in range(_PASSES)]
    spent, giving, wait_s = min(passes, key=lambda one: sum(one[0]))
    return Cost(
        stream_us=1e6 * sum(spent) / len(chunks),
        verdict_ms=1e3 * float(np.median(giving)),
        slow_verdict_ms=1e3 * float(np.percentile(giving, 99)),
        wait_s=wait_s,
    )


def _pushed(
    model: TrainedModel, recording: Recording, chunks: Sequence[np.ndarray]
) -> tuple[list[float], list[float], float]:
    """CPU seconds of each call, of those that gave a verdict, and the longest wait for one behind its interval."""
    stream = StreamAnalyzer(recording.fs, model=model)
    spent, giving, wait_s = [], [], 0.0
    for second, chunk in enumerate(chunks, 1):
        began = time.thread_time()
        verdicts = stream.push(chunk)
        spent.append(time.thread_time() - began)
        if verdicts:
            giving.append(spent[-1])
            wait_s = max(wait_s, second - verdicts[0].end_s)
    return spent, giving, wait_s


def parameters(model: TrainedModel) -> int | None:
    """Numbers that its networks hold, the beat finder's included; None where the package `onnx` is not installed."""
    if find_spec("onnx") is None:
        return None
    return _numbers(model.content) + (_numbers(model.finder.content) if model.finder else 0)


def _numbers(content: bytes) -> int:
    """All numbers of an ONNX file but whole ones of 64 bits, which are shapes and axes."""
    import onnx

    graph = onnx.load_from_string(content).graph
    constants = [a.t for node in graph.node if node.op_type == "Constant" for a in node.attribute if a.name == "value"]
    tensors = [t for t in (*graph.initializer, *constants) if t.data_type != onnx.TensorProto.INT64]
    return sum(int(np.prod(t.dims)) for t in tensors)

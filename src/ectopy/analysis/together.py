"""Several streams at once: what costs most, filters and model, runs as one array for all that are alike.

A call of NumPy or of the model costs more than the second of signal that it works on, so that sixteen streams
together cost two fifths less than one by one (`benchmarks/stream.py`). A test shows that it is bit-equal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ectopy.analysis.blocks import Blocks, ModelInput, inputs
from ectopy.analysis.stream import StreamAnalyzer
from ectopy.signal import condition_together, joined, parted
from ectopy.verdict import Verdict

_SHORT = 8  # blocks; longer stretches are worth a call of their own, and need much memory together


def push_together(streams: Sequence[StreamAnalyzer], samples: Sequence[ArrayLike]) -> list[list[Verdict]]:
    """`StreamAnalyzer.push` of each of them, in one go; each stream once, and the samples as there, an array a stream.

    Raises
    ------
    SignalError, StateError
        As `push`; then the streams are of no further use.
    """
    verdicts: list[list[Verdict]] = [[] for _ in streams]
    waiting = [stream.take(some) for stream, some in zip(streams, samples, strict=True)]
    while any(waiting):
        alike = defaultdict(list)
        for place, (stream, parts) in enumerate(zip(streams, waiting, strict=True)):
            if parts:
                alone = place if parts[0].n > _SHORT else None
                alike[stream.finder.hash, stream.condition.like, parts[0].n, alone].append(place)
        for places in alike.values():
            given = _push([streams[place] for place in places], [waiting[place].pop(0) for place in places])
            for place, some in zip(places, given, strict=True):
                verdicts[place] += some
    return verdicts


def _push(streams: Sequence[StreamAnalyzer], parts: Sequence[Blocks]) -> list[list[Verdict]]:
    """For streams that are alike, as many blocks of each."""
    steps = [stream.condition for stream in streams]
    conditioned = condition_together(steps, [part.samples for part in parts], parts[0].n)
    items = [inputs(one) for one in conditioned]
    whole = [place for place, some in enumerate(items) if len(some) == 1]  # no restart inside
    scores = dict(zip(whole, _run([streams[n] for n in whole], [items[n][0] for n in whole]), strict=True))
    return [
        stream.decide(some[0], scores[place])
        if place in scores
        else [verdict for item in some for verdict in stream.decide(item, stream.run(item))]
        for place, (stream, some) in enumerate(zip(streams, items, strict=True))
    ]


def _run(streams: Sequence[StreamAnalyzer], items: Sequence[ModelInput]) -> list[NDArray[np.float32]]:
    """`StreamAnalyzer.run` of each."""
    if len(streams) < 2:
        return [stream.run(item) for stream, item in zip(streams, items, strict=True)]
    state = tuple(joined(states) for states in zip(*(stream.model_state for stream in streams), strict=True))
    reset = np.concatenate([item.reset for item in items])
    if reset.any():
        for part in state:
            part[reset] = 0
    signal = np.concatenate([item.conditioned.signal for item in items])
    scores, after = streams[0].finder.run(state, signal)
    sizes = [len(item.reset) for item in items]
    for stream, *states in zip(streams, *(parted(part, sizes) for part in after), strict=True):
        stream.model_state = tuple(states)
    return parted(scores, sizes)

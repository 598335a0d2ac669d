"""A beat as an autoencoder rebuilds it: where it is unlike a normal one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ectopy.analysis.stream import StreamAnalyzer
from ectopy.errors import RecordError
from ectopy.signal import DELAY_S, WINDOW, Context
from ectopy.zoo import load

REBUILDER = "autoencoder-adaptive"
LEARNED_S = 60  # of signal before a beat, from which the patient's usual beat is learned
AFTER_S = 1 + DELAY_S  # behind it, that must be there
_NEAR_S = 0.15


@dataclass(frozen=True, eq=False)
class Rebuilt:
    """Half a second of a beat, 64 samples at 128 Hz, and the same as the model rebuilds it.

    sample : of the R peak, at the recording's rate
    lead : the one with the best signal
    beat, rebuilt : (64,), QRS complexes about 2 from peak to peak, the R peak at 32
    anomaly : of the model, 0 to 1
    """

    model: str
    sample: int
    lead: str
    beat: NDArray[np.float32]
    rebuilt: NDArray[np.float32]
    anomaly: float


def rebuilt(samples: NDArray[np.floating], fs: Fraction, leads: Sequence[str], sample: int) -> Rebuilt:
    """The beat at a sample of a stretch of signal, (n, n_leads), with the minute before it as far as there is one.

    Raises
    ------
    RecordError
        If the model finds no beat there.
    """
    model = load(REBUILDER)
    stream = StreamAnalyzer(fs, leads, model=model)
    context = Context(fs, len(leads))
    padding = np.full((round(AFTER_S * fs), len(leads)), np.nan)  # what the last beats wait for
    for item in stream.prepare(np.concatenate([samples, padding])):
        context.add(item.conditioned, stream.beats.push(stream.run(item), item.conditioned))
    series = context.ready(stream.beats.state.decided)
    far = [abs(beat.sample - sample) / float(fs) for beat in series.beats]
    if not far or min(far) > _NEAR_S:
        raise RecordError(f"no beat at sample {sample}")
    place = far.index(min(far))
    here = slice(place, place + 1)
    rhythm = np.repeat(series.rhythm[None, here], len(leads), axis=0)
    shape, usual = (np.ascontiguousarray(x[:, here]) for x in (series.shape, series.usual))
    anomaly, _ = model.run(model.start(len(leads)), shape, usual, rhythm)
    lead = int(series.weight[:, place].argmax())
    beat = shape[lead, 0, WINDOW]
    residual = model.residual(shape, usual)[lead, 0]
    return Rebuilt(
        model.name, series.beats[place].sample, leads[lead], beat, beat - residual, float(anomaly[lead, 0, 0])
    )

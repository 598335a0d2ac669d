"""Whether the same P wave comes before one beat after another: in atrial fibrillation none does.

What lies before a QRS complex is compared with what lay before the last one. A P wave makes the two alike; where the
atria fibrillate they are as alike as noise is. (P waves from beat to beat are compared by Babaeizadeh et al. 2009 too,
doi 10.1016/j.jelectrocard.2009.06.006.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import nan

import numpy as np
from numpy.typing import NDArray

from ectopy.signal.condition import Conditioned
from ectopy.signal.grid import LAG, RATE
from ectopy.verdict import Beat

_FROM, _TO = 36, 8  # conditioned samples before R, 281 to 63 ms: a P wave, and no QRS complex
_KEPT = 4  # blocks: beats come later than the signal they lie in
_LINE = np.linalg.qr(np.stack([np.ones(_FROM - _TO), np.linspace(-1, 1, _FROM - _TO)]).T)[0]  # of the baseline


@dataclass(frozen=True)
class PWavesState:
    """The last blocks, and what lay before the last beat, each lead of length 1 (0 where nothing was)."""

    start: int  # conditioned sample that `signal` begins with
    signal: NDArray[np.float32]  # (n_leads, n * 128)
    quality: NDArray[np.float64]  # (n_leads, n) of the same seconds
    last: NDArray[np.float64]  # (n_leads, 28)


class PWaves:
    """Signal and beats in; for each beat how alike are the stretches before it and before the last one."""

    def __init__(self, fs: Fraction, n_leads: int):
        self._fs = float(fs)
        signal, quality = np.zeros((n_leads, _KEPT * RATE), np.float32), np.zeros((n_leads, _KEPT))
        self.state = PWavesState(-_KEPT * RATE, signal, quality, np.zeros((n_leads, _FROM - _TO)))

    def push(self, conditioned: Conditioned, beats: Sequence[Beat]) -> list[float]:
        """The next blocks, and the beats that come with them: correlations, -1 to 1, the leads' mean by quality; NaN
        where nothing is known."""
        state = self.state
        x = np.concatenate([state.signal, conditioned.signal], axis=1)
        quality = np.concatenate([state.quality, conditioned.quality], axis=1)
        last, alike = state.last, []
        for beat in beats:
            at = round(beat.sample * RATE / self._fs) + LAG - state.start
            before = x[:, at - _FROM : at - _TO].astype(np.float64)
            before -= (before @ _LINE) @ _LINE.T
            size = np.sqrt((before * before).sum(axis=1))
            before /= np.where(size > 0, size, 1)[:, None]
            weight = quality[:, at // RATE] * (size > 0) * last.any(axis=1)
            total = float(weight.sum())
            alike.append(float((weight * (before * last).sum(axis=1)).sum()) / total if total else nan)
            last = before
        gone = conditioned.quality.shape[1]
        self.state = PWavesState(state.start + gone * RATE, x[:, gone * RATE :].copy(), quality[:, gone:].copy(), last)
        return alike

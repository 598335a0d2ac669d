"""Whether the same P wave comes before one beat after another: in atrial fibrillation none does.

What lies before a QRS complex is compared with what lay before the last one. A P wave makes the two alike; where the
atria fibrillate they are as alike as noise is. (P waves from beat to beat are compared by Babaeizadeh et al. 2009 too,
doi 10.1016/j.jelectrocard.2009.06.006.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray

from ectopy.signal.condition import Conditioned
from ectopy.signal.grid import RATE, conditioned_at
from ectopy.verdict import Beat

_FROM, _TO = 36, 8  # conditioned samples before R, 281 to 70 ms: a P wave, and no QRS complex
_KEPT = 4  # blocks: beats come later than the signal they lie in
_BEFORE = np.arange(-_FROM, -_TO)
_LINE = (_BEFORE - _BEFORE.mean()) / np.linalg.norm(_BEFORE - _BEFORE.mean())  # a baseline that drifts, of length 1
_ALONE = np.eye(len(_BEFORE)) - 1 / len(_BEFORE) - np.outer(_LINE, _LINE)  # what is left without mean and drift
_NOTHING = 1e-18  # the sum of squares that rounding leaves of a constant


@dataclass
class PWavesState:
    """The last blocks, and what lay before the last beat, without mean and drift (0 at first, NaN over a gap)."""

    start: int  # conditioned sample that `signal` begins with
    signal: NDArray[np.float32]  # (n_leads, n * 128), NaN in gaps
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
        new = conditioned.signal
        if np.count_nonzero(conditioned.gap):
            new = np.where(conditioned.gap, np.float32(nan), new)
        x = np.concatenate([state.signal, new], axis=1)
        quality = np.concatenate([state.quality, conditioned.quality], axis=1)
        last, alike = state.last, list[float]()
        if beats:
            at = np.array([conditioned_at(beat.sample, self._fs) - state.start for beat in beats])
            own = x.take(at[:, None] + _BEFORE, axis=1).astype(np.float64)
            before = np.concatenate([last[:, None], np.vecdot(own[:, :, None], _ALONE)], axis=1)
            power, both = np.vecdot(before, before), np.vecdot(before[:, 1:], before[:, :-1])
            alike = _means(power.tolist(), both.tolist(), quality.take(at // RATE, axis=1).tolist())
            last = before[:, -1].copy()
        gone = conditioned.quality.shape[1]
        self.state = PWavesState(state.start + gone * RATE, x[:, gone * RATE :].copy(), quality[:, gone:].copy(), last)
        return alike


def _means(power: list[list[float]], both: list[list[float]], weight: list[list[float]]) -> list[float]:
    """(n_leads, n + 1) squares and (n_leads, n) products of neighbours -> n correlations, the leads' mean by weight."""
    means = []
    for n in range(len(weight[0])):
        total, heard = 0.0, 0.0
        for squares, products, weights in zip(power, both, weight, strict=True):
            if squares[n] > _NOTHING and squares[n + 1] > _NOTHING:  # both whole (NaN is not above), and no constant
                total += weights[n] * products[n] / sqrt(squares[n] * squares[n + 1])
                heard += weights[n]
        means.append(total / heard if heard > 0 else nan)
    return means

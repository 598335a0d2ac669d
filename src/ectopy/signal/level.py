"""How good a second of signal is, and how large its QRS complexes are.

Quality, from 0 to 1 a second and lead, is high where the last 4 s are peaked (kurtosis: an ECG is mostly quiet with
QRS complexes standing out; noise is not; Clifford et al. 2012) and not rough (white noise). The gain brings a lead's
QRS complexes to about 2 whatever the unit, from blocks of good quality only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ectopy.signal.grid import RATE

Sums = tuple[float, float, float, float, float]  # of a block: its samples, x^2, x^4, dx^2, ddx^2

READABLE = 0.3  # quality from which a second can be judged
_WINDOW = 4  # blocks of the quality's look back
_MEMORY = 16  # blocks of the gain's
_QUIET = 0.2  # of the usual amplitude: a block without QRS
_PATIENCE = 30  # quiet blocks after which the gain follows them
_CLIP = 10.0


@dataclass
class LeadLevel:
    """One lead's memory."""

    sums: list[Sums] = field(default_factory=list)  # of the last blocks
    amplitudes: list[float] = field(default_factory=list)  # of good blocks
    previous: float = 0.0  # amplitude of the last block
    usual: float = 0.0  # the gain's reference; 0 before the first block
    quiet: int = 0  # blocks in a row


def _ramp(x: float, low: float, high: float) -> float:
    return min(max((x - low) / (high - low), 0.0), 1.0)


class Level:
    """Quality and gain of every lead."""

    def __init__(self, n_leads: int):
        self.state = [LeadLevel() for _ in range(n_leads)]

    def push(
        self, y: NDArray[np.float64], gap: NDArray[np.bool_], restart: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.bool_]]:
        """(n_leads, n_blocks, 128) filtered samples -> the same normalised, 0 in gaps; quality, and whether the
        second oscillates without QRS complexes: (n_leads, n_blocks)."""
        y = np.where(gap, 0.0, y)
        count = RATE - gap.sum(axis=2)
        square = y * y
        power, fourth = square.sum(axis=2), (square * square).sum(axis=2)
        slope = y[:, :, 1:] - y[:, :, :-1]
        bend = slope[:, :, 1:] - slope[:, :, :-1]
        slope, bend = np.square(slope).sum(axis=2), np.square(bend).sum(axis=2)
        sums = np.stack([count, power, fourth, slope, bend], axis=2)
        span = y.max(axis=2) - y.min(axis=2)
        quality, waves = np.empty(count.shape), np.empty(count.shape, bool)
        amplitude = np.empty((*count.shape, 2))
        for lead, state in enumerate(self.state):
            for b in range(y.shape[1]):
                if restart[lead, b]:
                    state = LeadLevel()
                before = state.usual
                quality[lead, b], waves[lead, b] = _step(state, tuple(sums[lead, b].tolist()), float(span[lead, b]))
                amplitude[lead, b] = before or state.usual, state.usual
            self.state[lead] = state
        ramp = np.arange(1, RATE + 1) / RATE
        usual = amplitude[:, :, :1] + (amplitude[:, :, 1:] - amplitude[:, :, :1]) * ramp
        scaled = np.divide(2 * y, usual, out=np.zeros_like(y), where=usual > 0)
        return np.clip(scaled, -_CLIP, _CLIP).astype(np.float32), quality, waves


def _step(state: LeadLevel, sums: Sums, span: float) -> tuple[float, bool]:
    state.sums = [*state.sums[1 - _WINDOW :], sums]
    n, power, fourth, slope, bend = (sum(column) for column in zip(*state.sums, strict=True))
    present = sums[0] / RATE
    if present == 0 or power == 0:
        state.previous = 0.0
        return 0.0, False
    kurtosis, rough, uneven = n * fourth / power**2, slope / power, bend / slope
    known = len(state.amplitudes) >= 5
    amplitude, state.previous = max(span, state.previous), span
    if known and amplitude < _QUIET * state.usual and state.quiet < _PATIENCE:
        state.quiet += 1  # a pause, or asystole: the baseline is alive, the gain waits
        return present, False
    state.quiet = 0
    waves = kurtosis < 3.2 and uneven < 0.3 and rough > 0.01
    quality = _ramp(kurtosis, 2.6, 4.0) * (1 - _ramp(rough, 0.6, 0.75) * (1 - _ramp(kurtosis, 5.0, 9.0)))
    if waves:
        quality = 1.0
    if known:
        quality *= 1 - _ramp(span / state.usual, 5.0, 8.0)
    if quality >= READABLE or not state.amplitudes:
        state.amplitudes = [*state.amplitudes[1 - _MEMORY :], amplitude]
        state.usual = sorted(state.amplitudes)[len(state.amplitudes) // 2]
    return quality * present, waves

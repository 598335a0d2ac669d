"""How good a second of signal is, and how large its QRS complexes are.

Quality, from 0 to 1 a second and lead, is high where the last 4 s are peaked (kurtosis: an ECG is mostly quiet with
QRS complexes standing out, noise is not; Clifford et al. 2012) and not rough (white noise). Waves of 2 to 10 Hz are
neither, and can be judged. A second far smoother than this lead's own baseline is an electrode that has come off and
drifts. The gain brings QRS complexes to about 2 from peak to peak, whatever the unit, from good seconds only.
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
_KNOWN = 5  # good blocks after which a lead's usual values are known
_QUIET = 0.2  # of the usual amplitude: a block without QRS
_PATIENCE = 30  # quiet blocks after which the gain follows them
_SMOOTH = 0.2, 0.02  # of the usual unrest of baseline and QRS complexes: less than both is no patient's
_PARTS, _PART = 8, 15  # a block's second differences, in parts
_CLIP = 10.0


@dataclass(frozen=True)
class Levelled:
    """Normalised samples and what is known of each second.

    signal : (n_leads, n_blocks, 128) float32, 0 in gaps
    quality : (n_leads, n_blocks), 0 to 1
    waves : (n_leads, n_blocks) bool, oscillates without QRS complexes
    smooth : (n_leads, n_blocks) bool, the electrode is off
    """

    signal: NDArray[np.float32]
    quality: NDArray[np.float64]
    waves: NDArray[np.bool_]
    smooth: NDArray[np.bool_]


@dataclass
class LeadLevel:
    """One lead's memory."""

    sums: list[Sums] = field(default_factory=list)  # of the last blocks
    amplitudes: list[float] = field(default_factory=list)  # of good blocks
    unrest: list[tuple[float, float]] = field(default_factory=list)  # of their baseline and of their QRS complexes
    previous: float = 0.0  # amplitude of the last block
    usual: float = 0.0  # the gain's reference; 0 before the first block
    quiet: int = 0  # blocks in a row


class Level:
    """Quality and gain of every lead."""

    def __init__(self, n_leads: int):
        self.state = [LeadLevel() for _ in range(n_leads)]

    def push(self, y: NDArray[np.float64], gap: NDArray[np.bool_], restart: NDArray[np.bool_]) -> Levelled:
        """(n_leads, n_blocks, 128) filtered samples and where they lie in a gap; `restart` is (n_leads, n_blocks)."""
        y = np.where(gap, 0.0, y)
        count = RATE - gap.sum(axis=2)
        square = y * y
        slope = y[:, :, 1:] - y[:, :, :-1]
        bend = np.square(slope[:, :, 1:] - slope[:, :, :-1])
        sums = np.stack(
            [
                count,
                square.sum(axis=2),
                np.square(square).sum(axis=2),
                np.square(slope).sum(axis=2),
                bend.sum(axis=2),
            ],
            axis=2,
        )
        parts = np.sort(bend[:, :, : _PARTS * _PART].reshape(*count.shape, _PARTS, _PART).sum(axis=3), axis=2)
        span = y.max(axis=2) - y.min(axis=2)
        quality, amplitude = np.empty(count.shape), np.empty((*count.shape, 2))
        waves, smooth = np.empty(count.shape, bool), np.empty(count.shape, bool)
        for lead, state in enumerate(self.state):
            rows = zip(sums[lead].tolist(), span[lead].tolist(), parts[lead].tolist(), strict=True)
            for b, (block, extent, unrest) in enumerate(rows):
                if restart[lead, b]:
                    state = LeadLevel()
                before = state.usual
                smooth[lead, b] = _smooth(state, unrest, whole=block[0] == RATE)
                quality[lead, b], waves[lead, b] = _step(state, tuple(block), extent, unrest, smooth[lead, b])
                amplitude[lead, b] = before or state.usual, state.usual
            self.state[lead] = state
        ramp = np.arange(1, RATE + 1) / RATE
        usual = amplitude[:, :, :1] + (amplitude[:, :, 1:] - amplitude[:, :, :1]) * ramp
        scaled = np.divide(2 * y, usual, out=np.zeros_like(y), where=usual > 0)
        return Levelled(np.clip(scaled, -_CLIP, _CLIP).astype(np.float32), quality, waves, smooth)


def _smooth(state: LeadLevel, unrest: list[float], *, whole: bool) -> bool:
    """Whether a block holds no QRS complex and lies stiller than this lead's baseline between beats ever does."""
    if not whole or len(state.unrest) < _KNOWN:
        return False
    baseline, qrs = (sorted(column)[len(column) // 2] for column in zip(*state.unrest, strict=True))
    return unrest[_PARTS // 2] < _SMOOTH[0] * baseline and unrest[-1] < _SMOOTH[1] * qrs


def _step(state: LeadLevel, sums: Sums, span: float, unrest: list[float], smooth: bool) -> tuple[float, bool]:
    state.sums = [*state.sums[1 - _WINDOW :], sums]
    n, power, fourth, slope, bend = (sum(column) for column in zip(*state.sums, strict=True))
    present = sums[0] / RATE
    amplitude, state.previous = max(span, state.previous), span
    if present == 0 or power == 0 or smooth:
        return 0.0, False
    kurtosis, rough, uneven = n * fourth / power**2, slope / power, bend / slope
    known = len(state.amplitudes) >= _KNOWN
    if known and amplitude < _QUIET * state.usual and state.quiet < _PATIENCE:
        state.quiet += 1  # a pause, or asystole: the baseline is alive, the gain waits
        return present, False
    state.quiet = 0
    waves = kurtosis < 3.2 and uneven < 0.3 and rough > 0.01
    quality = 1.0 if waves else _ramp(kurtosis, 2.6, 4.0) * _even(kurtosis, rough)
    if sums[1] > 0:  # noise that has just begun
        quality *= _even(sums[0] * sums[2] / sums[1] ** 2, sums[3] / sums[1])
    if known:
        quality *= 1 - _ramp(span / state.usual, 5.0, 8.0)
    if quality >= READABLE or not state.amplitudes:
        state.amplitudes = [*state.amplitudes[1 - _MEMORY :], amplitude]
        state.usual = sorted(state.amplitudes)[len(state.amplitudes) // 2]
        if present == 1:
            state.unrest = [*state.unrest[1 - _MEMORY :], (unrest[1], unrest[-1])]
    return quality * present, waves


def _even(kurtosis: float, rough: float) -> float:
    """1, less where a signal is as rough as white noise and no more peaked."""
    return 1 - _ramp(rough, 0.6, 0.75) * (1 - _ramp(kurtosis, 5.0, 9.0))


def _ramp(x: float, low: float, high: float) -> float:
    return min(max((x - low) / (high - low), 0.0), 1.0)

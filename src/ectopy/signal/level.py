"""What each second of a lead is like: its quality, and the gain that brings its QRS complexes to one size.

Quality is the fitted index of `quality`, but for what it can't know: waves of 2 to 10 Hz without QRS complexes and a
pause on a living baseline can be judged; a second far stiller than this lead's own baseline is an electrode that has
come off and drifts, one whose slow part moves by more than QRS complexes do an electrode that is moved. The gain brings
QRS complexes to about 2 from peak to peak, whatever the unit, from good seconds only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import log
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ectopy.signal.grid import RATE
from ectopy.signal.quality import FEATURES, READABLE, Sums, features, index

_WINDOW = 4  # blocks of the quality's look back
_MEMORY = 16  # blocks of the gain's
_KNOWN = 5  # good blocks after which a lead's usual values are known
_QUIET = 0.2  # of the usual amplitude: a block without QRS
_STILL = 0.2, 0.02  # of the usual unrest of baseline and QRS complexes: less than both is no patient's
_HUGE = 5.0, 8.0  # usual amplitudes from which quality falls, and where it is 0
_SWAY = 1.3, 1.6  # the same of the slow part alone: 0.6 % of ventricular beats sway so, and a moved electrode
_PATIENCE = 10, 5  # blocks in a row that look like an ECG but quiet, or are huge, after which they are usual
_PARTS = 8  # of a block
_SMOOTH = log(3.2), log(0.3), log(0.01)  # kurtosis and unevenness below, roughness above: waves without QRS complexes
_QRS = itemgetter(1)
_CLIP = 10.0
_RAMP = np.arange(1, RATE + 1) / RATE


@dataclass
class Levelled:
    """Normalised samples and what is known of each second.

    signal : (n_leads, n_blocks, 128) float32, 0 in gaps
    quality : (n_leads, n_blocks), 0 to 1
    waves : (n_leads, n_blocks) bool, oscillates without QRS complexes
    still : (n_leads, n_blocks) bool, the electrode is off
    quiet : (n_leads, n_blocks) bool, too small for a QRS complex of this lead
    sways : (n_leads, n_blocks) bool, could be judged if its baseline lay still
    features : (n_leads, n_blocks, 6), of `quality`; NaN where nothing is there
    """

    signal: NDArray[np.float32]
    quality: NDArray[np.float64]
    waves: NDArray[np.bool_]
    still: NDArray[np.bool_]
    quiet: NDArray[np.bool_]
    sways: NDArray[np.bool_]
    features: NDArray[np.float64]


@dataclass
class LeadLevel:
    """One lead's memory."""

    sums: list[tuple[float, ...]] = field(default_factory=list)  # of the last blocks
    amplitudes: list[float] = field(default_factory=list)  # of good blocks
    unrest: list[tuple[float, float]] = field(default_factory=list)  # of their baseline and of their QRS complexes
    previous: float = 0.0  # amplitude of the last block
    usual: float = 0.0  # the gain's reference; 0 before the first block
    quiet: int = 0  # blocks in a row
    huge: int = 0  # blocks in a row


class Level:
    """Quality and gain of every lead."""

    def __init__(self, n_leads: int):
        self.state = [LeadLevel() for _ in range(n_leads)]

    def push(self, y: NDArray[np.float64], gap: NDArray[np.bool_], restart: NDArray[np.bool_]) -> Levelled:
        """(n_leads, n_blocks, 128) filtered samples and where they lie in a gap; `restart` is (n_leads, n_blocks)."""
        size = gap.shape[:2]
        count = np.full(size, float(RATE))
        if np.count_nonzero(gap):
            y = np.where(gap, 0.0, y)
            count -= gap.sum(axis=2)
        square = y * y
        slope = y[:, :, 1:] - y[:, :, :-1]
        bend = slope[:, :, 1:] - slope[:, :, :-1]
        eighths = np.add.reduce(y.reshape(*size, _PARTS, -1), axis=3) / (RATE // _PARTS)
        x2, x4, slope2, bend2, slow2 = (np.vecdot(x, x) for x in (y, square, slope, bend, eighths))
        sums = (count, x2, x4, slope2, bend2, slow2 * (RATE // _PARTS))
        rough = bend[:, :, : RATE - _PARTS].reshape(*size, _PARTS, -1)
        parts = np.vecdot(rough, rough)
        spans = np.maximum.reduce(y, axis=2) - np.minimum.reduce(y, axis=2)
        columns = zip(*(of.tolist() for of in (restart, spans, eighths, parts, *sums)), strict=True)
        table = np.array([self._lead(lead, zip(*column, strict=True)) for lead, column in enumerate(columns)])
        before, usual = table[:, :, 5:6], table[:, :, 6:7]
        gain = before + (usual - before) * _RAMP
        if np.count_nonzero(gain) < gain.size:
            gain[gain == 0] = np.inf  # no amplitude is known yet
        signal = np.minimum(np.maximum(2 * y / gain, -_CLIP), _CLIP).astype(np.float32)
        waves, still, quiet, sways = table[:, :, 1:5].astype(bool).transpose(2, 0, 1)
        return Levelled(signal, table[:, :, 0], waves, still, quiet, sways, table[:, :, 7:])

    def _lead(self, lead: int, blocks: Iterable[tuple[Any, ...]]) -> list[tuple[float, ...]]:
        rows = []
        for restart, span, eighths, parts, *sums in blocks:
            if restart:
                self.state[lead] = LeadLevel()
            state = self.state[lead]
            before = state.usual
            judged = _judge(state, tuple(sums), span, max(eighths) - min(eighths), sorted(parts))
            rows.append((*judged[:5], before or state.usual, state.usual, *judged[5:]))
        return rows


def _judge(
    state: LeadLevel, block: tuple[float, ...], span: float, sway: float, parts: Sequence[float]
) -> tuple[float, ...]:
    """Quality, waves, still, quiet, sways and the features of a block; the lead's memory takes it in."""
    state.sums = [*state.sums[1 - _WINDOW :], block]
    sums = Sums(*map(sum, zip(*state.sums, strict=True)))
    amplitude, state.previous = max(span, state.previous), span
    present = block[0] / RATE
    if present == 0 or sums.x2 == 0:
        return 0.0, False, False, False, False, *[float("nan")] * len(FEATURES)
    values = features(sums, parts)
    if state.quiet == _PATIENCE[0] or state.huge == _PATIENCE[1]:
        state.amplitudes, state.unrest, state.quiet, state.huge = [], [], 0, 0  # what was usual no longer is
    known = len(state.amplitudes) >= _KNOWN
    still = present == 1 and len(state.unrest) >= _KNOWN and _is_still(state, parts)
    if still or (known and amplitude < _QUIET * state.usual):
        # an electrode that is off; or a pause, the baseline alive: the gain waits, unless it is an ECG of another size
        state.quiet = state.quiet + 1 if index(values) >= READABLE else 0
        return 0.0 if still else present, False, still, True, False, *values
    state.quiet = 0
    waves = _is_wave(values)
    quality = present if waves else present * index(values)
    sways = False
    if known:
        quality *= (size := _left(span / state.usual, *_HUGE))
        lies = 1.0 if waves else _left(sway / state.usual, *_SWAY)
        sways = quality >= READABLE > quality * lies
        quality *= lies
        state.huge = state.huge + 1 if size * lies < 1 else 0
    if not state.amplitudes:
        state.usual = amplitude  # better than nothing, and not remembered
    if quality >= READABLE:
        state.amplitudes = [*state.amplitudes[1 - _MEMORY :], amplitude]
        state.usual = _median(state.amplitudes)
        if present == 1:
            state.unrest = [*state.unrest[1 - _MEMORY :], (parts[1], parts[-1])]
    return quality, waves, False, False, sways, *values


def _left(size: float, low: float, high: float) -> float:
    """1 up to the low size, 0 from the high one on."""
    return 1.0 if size <= low else max((high - size) / (high - low), 0.0)


def _is_still(state: LeadLevel, parts: Sequence[float]) -> bool:
    """Whether a block holds no QRS complex and lies stiller than this lead's baseline between beats ever does."""
    if parts[-1] >= _STILL[1] * max(state.unrest, key=_QRS)[1]:
        return False  # as nearly always
    if parts[-1] >= _STILL[1] * _median([qrs for _, qrs in state.unrest]):
        return False
    return parts[_PARTS // 2] < _STILL[0] * _median([baseline for baseline, _ in state.unrest])


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _is_wave(values: Sequence[float]) -> bool:
    """Whether the last 4 s swing smoothly at 2 to 10 Hz: ventricular flutter, as in DS1's record 207."""
    kurtosis, roughness, unevenness = values[:3]
    return kurtosis < _SMOOTH[0] and unevenness < _SMOOTH[1] and roughness > _SMOOTH[2]

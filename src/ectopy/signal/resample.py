"""Any rate between 100 and 1000 Hz to 128 Hz, with one low-pass near 40 Hz, so that every source looks alike.

A windowed sinc (Kaiser, beta 5) evaluated at each output's exact place between two samples: a polyphase filter
without the limit to small ratios. -6 dB at 38 Hz; at 50 Hz -49 dB or less, which takes mains hum with it
(of a source at 100 Hz, 60 Hz folds to 40 before it gets here).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import floor

import numpy as np
from numpy.typing import NDArray

from ectopy.signal.grid import LAG, RATE, phase_of
from ectopy.signal.mask import Masked

_CUTOFF = 38.0
_HALF_S = Fraction(75, 1000)
_BETA = 5.0
_PHASES = 1024  # places between two samples; rates whose places are multiples of 1/1024 are met exactly


@lru_cache(maxsize=16)
def _bank(fs: Fraction, half: int) -> NDArray[np.float64]:
    """(_PHASES, 2 * half) taps, each row summing to 1."""
    at = np.arange(1 - half, half + 1) - np.arange(_PHASES)[:, None] / _PHASES  # samples from the output's place
    width = float(_HALF_S * fs)
    window = np.i0(_BETA * np.sqrt(np.clip(1 - (at / width) ** 2, 0, None))) * (np.abs(at) <= width)
    taps = np.sinc(2 * _CUTOFF / float(fs) * at) * window
    return taps / taps.sum(axis=1, keepdims=True)


@lru_cache(maxsize=16)
def _filters(numerator: int, denominator: int, half: int, rest: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(128, 2 * half) raw samples that a block's outputs need, counted from the first of them, and the taps for them.

    rest : how far behind that raw sample the place is, in 1 / (128 * the rate's denominator); the same in every
        block for whole rates
    """
    per = RATE * denominator
    places = [divmod(rest + n * numerator, per) for n in range(RATE)]  # whole, for NumPy's integers may be too small
    fine = np.array([(behind * _PHASES * 2 + per) // (2 * per) for _, behind in places])  # rounded
    at = np.array([whole for whole, _ in places]) + fine // _PHASES
    return at[:, None] + np.arange(2 * half), _bank(Fraction(numerator, denominator), half)[fine % _PHASES]


@dataclass
class ResampleState:
    """The samples that the next block's filter still reaches."""

    phase: int  # of the next block, see `phase_of`
    tail: NDArray[np.float64]  # (n_leads, n)
    gap: NDArray[np.bool_]


class Resample:
    """(n_leads, n) raw samples to (n_leads, n_blocks, 128)."""

    def __init__(self, fs: Fraction, n_leads: int):
        self._fs = fs
        self._half = floor(_HALF_S * fs)
        reach = self._reach(0)
        self.state = ResampleState(0, np.zeros((n_leads, -reach)), np.ones((n_leads, -reach), bool))

    def _reach(self, block: int) -> int:
        """Index of the first raw sample that a block's filter needs."""
        return (RATE * block - LAG) * self._fs.numerator // (RATE * self._fs.denominator) + 1 - self._half

    def push(self, masked: Masked, restart: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The conditioned samples, and which of them lie in a gap: (n_leads, n_blocks, 128) each; `restart` is
        (n_leads, n_blocks)."""
        state, n_blocks = self.state, restart.shape[1]
        first = self._reach(state.phase)  # raw sample that the tail begins with
        x = np.concatenate([state.tail, masked.values], axis=1)
        gap = np.concatenate([state.gap, masked.gap], axis=1)
        if np.count_nonzero(restart):
            for lead, b in zip(*restart.nonzero(), strict=True):
                # what was held before the gap says nothing about the level after it
                begin = self._reach(state.phase + int(b)) - first  # NumPy's integers are too small for some rates
                end = state.tail.shape[1] + masked.restart_at[lead, b]
                x[lead, begin:end] = x[lead, end]
        y = np.empty((len(x), n_blocks, RATE))
        in_gap = np.zeros((len(x), n_blocks, RATE), bool)
        any_gap = np.count_nonzero(gap) > 0
        numerator, denominator = self._fs.numerator, self._fs.denominator  # a Fraction is slow to hash
        per = RATE * denominator
        for b in range(n_blocks):
            whole, rest = divmod((RATE * (state.phase + b) - LAG) * numerator, per)
            around, taps = _filters(numerator, denominator, self._half, rest)
            begin = whole + 1 - self._half - first
            np.vecdot(x[:, begin:].take(around, axis=1), taps, out=y[:, b])
            if any_gap:
                before = around[:, self._half - 1] + begin
                in_gap[:, b] = gap[:, before] | gap[:, before + 1]
        rest = self._reach(state.phase + n_blocks) - first
        phase = phase_of(state.phase + n_blocks, self._fs)
        self.state = ResampleState(phase, x[:, rest:].copy(), gap[:, rest:].copy())
        return y, in_gap

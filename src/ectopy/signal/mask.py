"""The mask: missing samples, spikes and dead leads are found before any filter sees them.

A masked stretch up to 50 ms is bridged by a straight line; in a longer one the last good value is held and nothing
is judged. After more than 2 s every later step starts again (`Masked.restart_at`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from ectopy.signal.grid import HOLD_S, RESTART_S, block_start, phase_of

# A sample this many running amplitudes from its block's median is a spike if it stays there for 30 ms at most.
_SPIKE = 10.0
_SPIKE_S = 0.030
_EXCURSION = 300.0  # as far away as this, it is masked however long it stays
_CONSTANT_S = 0.2  # a patient attached never gives one value for longer
_DEAD_STEPS = 3  # a second that spans no more converter steps than this is the converter's own noise
_MEMORY = 30  # blocks the running amplitude looks back
_FAR = 1 << 60  # samples: for ever


@dataclass
class Masked:
    """Samples given out 50 ms late, finite throughout.

    values : (n_leads, n) float64, bridged or held where masked
    gap : (n_leads, n) bool, True where never judged
    restart_at : (n_leads, n_blocks) int64, where in `values` a lead comes back after more than 2 s; -1 where it doesn't
    dead : (n_leads, n_blocks) bool, most of the block is one value, or all of it the converter's noise
    """

    values: NDArray[np.float64]
    gap: NDArray[np.bool_]
    restart_at: NDArray[np.int64]
    dead: NDArray[np.bool_]


@dataclass
class MaskState:
    """What the mask carries from block to block; the first axis is the lead."""

    phase: int  # of the next block, see `phase_of`
    pending: NDArray[np.float64]  # (n_leads, up to 50 ms) raw samples not yet given out
    missing: NDArray[np.bool_]  # the same shape
    last_good: NDArray[np.int64]  # the last good sample given out, counted from `pending[0]`; -_FAR before the first
    held: NDArray[np.float64]  # its value
    last: NDArray[np.float64]  # the last raw sample ...
    repeats: NDArray[np.int64]  # ... and how often it came in a row
    spans: NDArray[np.float64]  # (n_leads, _MEMORY) amplitudes of earlier blocks; NaN where unknown


class Mask:
    """Finds what must not reach a filter."""

    def __init__(self, fs: Fraction, n_leads: int):
        self._fs = fs
        self._hold = floor(HOLD_S * fs)
        self._restart_after = floor(RESTART_S * fs)
        self._constant_from = ceil(_CONSTANT_S * fs)
        self._spike = floor(_SPIKE_S * fs)
        self.state = MaskState(
            phase=0,
            pending=np.zeros((n_leads, 0)),
            missing=np.zeros((n_leads, 0), bool),
            last_good=np.full(n_leads, -_FAR),
            held=np.zeros(n_leads),
            last=np.full(n_leads, np.nan),
            repeats=np.zeros(n_leads, np.int64),
            spans=np.full((n_leads, _MEMORY), np.nan),
        )

    def push(self, x: NDArray[np.float64], n_blocks: int) -> Masked:
        """(n_leads, n) raw samples of `n_blocks` whole blocks."""
        state = self.state
        first = block_start(state.phase, self._fs)
        bounds = [block_start(state.phase + b, self._fs) - first for b in range(n_blocks + 1)]
        missing = ~np.isfinite(x)
        if np.count_nonzero(missing):
            x = np.where(missing, np.nan, x)
        pending_missing = state.missing.copy()
        constant, late, last, repeats = self._constant(x, pending_missing, bounds)
        if late:
            return _joined([self.push(x[:, begin:end], 1) for begin, end in pairwise(bounds)])
        dead = np.zeros((len(x), n_blocks), bool)
        if np.count_nonzero(constant):
            dead = np.add.reduceat(constant, bounds[:-1], axis=1) > np.diff(bounds) / 2
            missing |= constant
        spans = self._mark_spikes(x, missing, dead, bounds)

        x = np.concatenate([state.pending, x], axis=1)
        missing = np.concatenate([pending_missing, missing], axis=1)
        n_out = x.shape[1] - self._hold
        restart_at = np.full((len(x), n_blocks), -1)
        if np.count_nonzero(missing):
            values, gap, good = self._fill(x, missing, n_out)
            pending = state.pending.shape[1]
            edges = np.maximum(np.add(bounds, pending - self._hold), 0)  # of the blocks as they are given out
            self._restarts(restart_at, good[:, :n_out], edges)
            last_good = np.maximum(state.last_good, good[:, :n_out].max(axis=1, initial=-_FAR))
            held = np.where(last_good >= 0, x[np.arange(len(x)), np.maximum(last_good, 0)], state.held)
            last_good = np.maximum(last_good - n_out, -_FAR)
        else:  # the same, shorter
            values, gap = x[:, :n_out], np.zeros((len(x), n_out), bool)
            if min(state.last_good.tolist()) < -1 - self._restart_after:
                restart_at[state.last_good < -1 - self._restart_after, 0] = 0
            last_good, held = np.full(len(x), -1), x[:, n_out - 1].copy()
        self.state = MaskState(
            phase=phase_of(state.phase + n_blocks, self._fs),
            pending=x[:, n_out:].copy(),
            missing=missing[:, n_out:].copy(),
            last_good=last_good,
            held=held,
            last=last,
            repeats=repeats,
            spans=spans,
        )
        return Masked(values, gap, restart_at, dead)

    def _constant(
        self, x: NDArray[np.float64], pending_missing: NDArray[np.bool_], bounds: Sequence[int]
    ) -> tuple[NDArray[np.bool_], bool, NDArray[np.float64], NDArray[np.int64]]:
        """Runs of one value, whole, and of the last one what is still held back. `late`: one is known only in the block
        after the one that it begins in, which a cut may have given out by then."""
        constant, late = np.zeros(x.shape, bool), False
        repeats = np.empty_like(self.state.repeats)
        for lead, row in enumerate(x):
            carried = int(self.state.repeats[lead]) if row[0] == self.state.last[lead] else 0
            same = (row[1:] == row[:-1]).tobytes()
            repeats[lead] = len(same) - len(same.rstrip(b"\1")) + 1
            if b"\1" * self._hold not in same and carried + self._hold < self._constant_from:
                continue  # as nearly always: no run is longer than what is held back
            edges = np.concatenate([[0], (row[1:] != row[:-1]).nonzero()[0] + 1, [len(row)]])
            self._mark_stuck(row, constant[lead], edges, bounds)
            lengths = edges[1:] - edges[:-1]
            lengths[0] += carried
            repeats[lead] = lengths[-1]
            for run in (lengths >= self._constant_from).nonzero()[0]:
                known = edges[run + 1] - lengths[run] + self._constant_from - 1  # the sample that tells
                block = bounds[max(np.searchsorted(bounds, known, side="right") - 1, 0)]
                constant[lead, edges[run] : edges[run + 1]] = True
                late = late or bool(edges[run] < block)
                if run == 0 and carried:
                    pending_missing[lead, max(pending_missing.shape[1] - carried, 0) :] = True
        return constant, late, x[:, -1].copy(), repeats

    def _mark_stuck(
        self, row: NDArray[np.float64], stuck: NDArray[np.bool_], edges: NDArray[np.int64], bounds: Sequence[int]
    ) -> None:
        """Runs at a block's end that are longer than what is held back, at its highest or lowest value: saturated, it
        seems, but only the next block will tell. Each block by itself, so that no cut matters."""
        for begin, end in pairwise(bounds):
            since = max(edges[np.searchsorted(edges, end) - 1], begin)
            block = row[begin:end]
            if end - since > self._hold and block[-1] in (np.nanmin(block), np.nanmax(block)):
                stuck[since:end] = True

    def _mark_spikes(
        self,
        x: NDArray[np.float64],
        missing: NDArray[np.bool_],
        dead: NDArray[np.bool_],
        bounds: Sequence[int],
    ) -> NDArray[np.float64]:
        """Mark spikes and dead blocks; gives the amplitudes to remember."""
        spans = np.concatenate([self.state.spans, np.empty(dead.shape)], axis=1)
        any_lost = np.count_nonzero(missing) > 0
        for b, (begin, end) in enumerate(pairwise(bounds)):
            rows, lost = x[:, begin:end], missing[:, begin:end]
            for lead, ranks in enumerate(np.sort(rows, axis=1).take(_places(end - begin), axis=1).tolist()):
                span, reach = _spread(ranks)
                few = len({*ranks}) <= _DEAD_STEPS + 1  # a dead one never has more
                if few or reach > _SPIKE * span or (any_lost and lost[lead].any()):
                    memory = spans[lead, b : b + _MEMORY]
                    span, dead[lead, b] = self._mark_odd(rows[lead], lost[lead], memory, dead[lead, b])
                spans[lead, b + _MEMORY] = span
        return spans[:, len(bounds) - 1 :].copy()

    def _mark_odd(
        self, row: NDArray[np.float64], lost: NDArray[np.bool_], memory: NDArray[np.float64], dead: bool
    ) -> tuple[float, bool]:
        """The same for a lead's block that isn't like most; gives its amplitude and whether it is dead."""
        good = row[~lost]
        if len(good) < len(row) / 2:
            if np.isnan(memory[-RESTART_S:]).all():
                memory[:] = np.nan
            return np.nan, dead
        ranks = np.sort(good)
        steps = ranks[1:] - ranks[:-1]  # not from sample to sample: hum at half the rate has no small ones
        if ranks[-1] - ranks[0] <= _DEAD_STEPS * steps.min(where=steps > 0, initial=np.inf):
            lost[:] = True
            return np.nan, True
        span, reach = _spread(ranks[_places(len(ranks))].tolist())
        known = np.sort(memory[memory > 0])
        usual = known[int(0.8 * len(known))] if len(known) else 0.0
        limit = _SPIKE * max(usual, span)
        if reach > limit:
            far = np.abs(row - ranks[len(ranks) // 2])
            beyond = far > limit
            edges = np.flatnonzero(np.diff(np.concatenate([[False], beyond, [False]])))
            for begin, end in zip(edges[::2], edges[1::2], strict=True):
                if end - begin <= self._spike:
                    lost[begin:end] = True
            if len(known) >= 5:
                lost[far > _EXCURSION * usual] = True
        return span, False

    def _fill(
        self, x: NDArray[np.float64], missing: NDArray[np.bool_], n_out: int
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
        """Bridge short masked stretches, hold through long ones; `good` is each sample's index, or -_FAR if masked."""
        index = np.arange(x.shape[1])
        good = np.where(missing, -_FAR, index)
        before = np.maximum.accumulate(np.maximum(good, self.state.last_good[:, None]), axis=1)
        after = np.minimum.accumulate(np.where(missing, _FAR, index)[:, ::-1], axis=1)[:, ::-1]
        seen = before >= 0
        v0 = np.where(seen, np.take_along_axis(x, np.where(seen, before, 0), axis=1), self.state.held[:, None])
        come = after < _FAR
        v1 = np.where(come, np.take_along_axis(x, np.where(come, after, 0), axis=1), v0)
        after = np.where(come, after, before)
        short = missing & come & (after - before - 1 <= self._hold)
        share = np.where(short, index - before, 0) / np.where(short, after - before, 1)
        values = np.where(missing, np.where(short, v0 + (v1 - v0) * share, v0), x)
        return values[:, :n_out], (missing & ~short)[:, :n_out], good

    def _restarts(self, restart_at: NDArray[np.int64], good: NDArray[np.int64], edges: NDArray[np.int64]) -> None:
        for lead, row in enumerate(good):
            present = np.flatnonzero(row >= 0)
            if len(present) == 0:
                continue
            previous = np.concatenate([[self.state.last_good[lead]], row[present[:-1]]])
            for at in present[row[present] - previous - 1 > self._restart_after]:
                restart_at[lead, np.searchsorted(edges, at, side="right") - 1] = at


def _joined(parts: list[Masked]) -> Masked:
    """Blocks masked one by one; `restart_at` counts from the first one's samples."""
    starts = np.cumsum([0, *(part.values.shape[1] for part in parts)])
    restart_at = [np.where(p.restart_at < 0, -1, p.restart_at + at) for p, at in zip(parts, starts, strict=False)]
    values, gap, dead = (
        np.concatenate([getattr(p, name) for p in parts], axis=1) for name in ("values", "gap", "dead")
    )
    return Masked(values, gap, np.concatenate(restart_at, axis=1), dead)


@lru_cache(maxsize=64)
def _places(n: int) -> NDArray[np.int64]:
    """Of `n` sorted samples those that say how they spread."""
    return np.array([0, int(0.05 * n), n // 2, int(0.95 * n), n - 1])


def _spread(ranks: Sequence[float]) -> tuple[float, float]:
    """Amplitude by samples at `_places`, and how far the furthest lies from their median."""
    lowest, low, middle, high, highest = ranks
    return high - low, max(highest - middle, middle - lowest)

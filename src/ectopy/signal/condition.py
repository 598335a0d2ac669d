"""The signal path up to the models: mask, resample, high-pass, quality, gain, a block of 1 s at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ectopy.signal.filters import HighPass, HighPassState
from ectopy.signal.grid import RATE, block_start
from ectopy.signal.level import LeadLevel, Level
from ectopy.signal.mask import Mask, MaskState
from ectopy.signal.resample import Resample, ResampleState
from ectopy.signal.together import joined, parted

BATCH = 64  # blocks that are worked on at once


@dataclass
class Conditioned:
    """A stretch of whole blocks, ready for a model.

    signal : (n_leads, n_blocks * 128) float32 at 128 Hz, QRS complexes about 2 from peak to peak, 0 in gaps
    gap : the same shape, True where never judged
    quality : (n_leads, n_blocks), 0 to 1
    waves : (n_leads, n_blocks) bool, an oscillation of 2 to 10 Hz without QRS complexes
    dead : (n_leads, n_blocks) bool, flat, saturated or electrode off
    quiet : (n_leads, n_blocks) bool, too small for a QRS complex of this lead: a pause, or something else without beats
    sways : (n_leads, n_blocks) bool, of little quality only because the baseline moves more than QRS complexes do
    features : (n_leads, n_blocks, 6), what quality is made of
    restart : (n_leads, n_blocks) bool, the lead comes back in this block and every state starts again
    """

    signal: NDArray[np.float32]
    gap: NDArray[np.bool_]
    quality: NDArray[np.float64]
    waves: NDArray[np.bool_]
    dead: NDArray[np.bool_]
    quiet: NDArray[np.bool_]
    sways: NDArray[np.bool_]
    features: NDArray[np.float64]
    restart: NDArray[np.bool_]

    @property
    def n_blocks(self) -> int:
        return self.quality.shape[1]

    def blocks(self, begin: int, end: int) -> Conditioned:
        """A part of it."""
        samples, seconds = slice(begin * RATE, end * RATE), slice(begin, end)
        return Conditioned(
            self.signal[:, samples],
            self.gap[:, samples],
            self.quality[:, seconds],
            self.waves[:, seconds],
            self.dead[:, seconds],
            self.quiet[:, seconds],
            self.sways[:, seconds],
            self.features[:, seconds],
            self.restart[:, seconds],
        )


@dataclass(frozen=True)
class ConditionState:
    """What the steps carry."""

    mask: MaskState
    resample: ResampleState
    high_pass: HighPassState
    level: list[LeadLevel]


class Condition:
    """The chain of steps; each carries its own state."""

    def __init__(self, fs: Fraction, n_leads: int):
        self.fs = fs
        self.mask = Mask(fs, n_leads)
        self.resample = Resample(fs, n_leads)
        self.high_pass = HighPass(n_leads)
        self.level = Level(n_leads)

    @property
    def state(self) -> ConditionState:
        return ConditionState(self.mask.state, self.resample.state, self.high_pass.state, self.level.state)

    @state.setter
    def state(self, state: ConditionState) -> None:
        self.mask.state, self.resample.state = state.mask, state.resample
        self.high_pass.state, self.level.state = state.high_pass, state.level

    @property
    def like(self) -> tuple[object, ...]:
        """Steps of which this is the same can be worked on together: they stand alike to the block grid."""
        return self.fs, self.mask.state.phase, self.mask.state.pending.shape[1]

    def push(self, samples: NDArray[np.floating], n_blocks: int) -> Conditioned:
        """(n, n_leads) raw samples of exactly `n_blocks` whole blocks."""
        x = np.ascontiguousarray(samples.T, dtype=np.float64)
        masked = self.mask.push(x, n_blocks)
        restart = masked.restart_at >= 0
        y, gap = self.resample.push(masked, restart)
        y = self.high_pass.push(y, restart)
        level = self.level.push(y, gap, restart)
        rows = len(x), n_blocks * RATE
        return Conditioned(
            signal=level.signal.reshape(rows),
            gap=gap.reshape(rows),
            quality=level.quality,
            waves=level.waves,
            dead=masked.dead | level.still,
            quiet=level.quiet,
            sways=level.sways,
            features=level.features,
            restart=restart,
        )


def condition_together(
    steps: Sequence[Condition], samples: Sequence[NDArray[np.floating]], n_blocks: int
) -> list[Conditioned]:
    """`Condition.push` for several streams in one go, which is bit-equal, and cheaper.

    steps : of one rate, and all of them alike: `Condition.like`
    """
    if len(steps) == 1:
        return [steps[0].push(samples[0], n_blocks)]
    sizes = [x.shape[1] for x in samples]
    every = Condition(steps[0].fs, sum(sizes))
    every.state = joined([step.state for step in steps])
    conditioned = every.push(np.concatenate(samples, axis=1), n_blocks)
    for step, state in zip(steps, parted(every.state, sizes), strict=True):
        step.state = state
    return parted(conditioned, sizes)


def condition(samples: NDArray[np.floating], fs: Fraction) -> Conditioned:
    """Whole blocks of a recording at once, as training needs them; (n_samples, n_leads) in."""
    step, parts, block = Condition(fs, samples.shape[1]), [], 0
    total = int(len(samples) / fs)
    while block < total:
        n = min(BATCH, total - block)
        parts.append(step.push(samples[block_start(block, fs) : block_start(block + n, fs)], n))
        block += n
    join = (np.concatenate([getattr(p, name) for p in parts], axis=1) for name in Conditioned.__annotations__)
    return Conditioned(*join)

"""What a beat model sees of a beat: its shape, the patient's usual shape, and the rhythm it stands in.

A beat is given once it is known whether another follows within `HORIZON` (0.66 s), so that the whole path decides it
within 2 s; a later one counts as "not yet come".
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import isnan, log
from statistics import median

import numpy as np
from numpy.typing import NDArray

from ectopy.signal.condition import Conditioned
from ectopy.signal.grid import LABEL_STEP, RATE, conditioned_at
from ectopy.verdict import Beat

BEFORE, AFTER = 64, 64  # conditioned samples around the R peak: half a second to both sides
WINDOW = slice(BEFORE - 32, BEFORE + 32)  # 0.25 s to both sides of R: where its neighbours lie is for the rhythm to say
HORIZON = 84  # conditioned samples behind an R peak in which the next one is known
_SNAP = 8  # conditioned samples between a frame and its R peak, at most
_KEPT = 4  # blocks: more than model, beat finder and `HORIZON` lag behind, and `BEFORE`
_SHORT, _LONG = 8, 32  # RR intervals that the recent rhythm is taken from
_LEARN = 1 / 16  # share of a new beat in the usual shape, once as many are known
RHYTHM = (
    "rr", "rr / median 32", "rr / median 8", "rr / rr before", "rr before / median 32", "rr after / median 32",
    "rr after known", "10th / 50th percentile", "90th / 50th percentile", "irregularity", "rr known",
    "P(N or S)", "P(V)", "P(F)", "P(Q)",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Series:
    """Beats in the order of time, as a beat model takes them.

    beats : what the beat finder said of them
    shape : (n_leads, n, 128) conditioned samples, R at 64
    usual : (n_leads, n, 128) the running mean shape of the patient's beats before that are not ventricular
    rhythm : (n, 15) `RHYTHM`: logarithms of ratios of RR intervals, then the probabilities of `instant`
    weight : (n_leads, n) quality of the second the beat lies in
    fresh : (n,) bool, the first beat, or the first after a restart: nothing is known of what was before
    """

    beats: tuple[Beat, ...]
    shape: NDArray[np.float32]
    usual: NDArray[np.float32]
    rhythm: NDArray[np.float32]
    weight: NDArray[np.float64]
    fresh: NDArray[np.bool_]


@dataclass(frozen=True)
class ContextState:
    """What it carries from block to block; bounded where it is asked for what is ready every few blocks."""

    start: int  # conditioned sample that `signal` begins with
    signal: NDArray[np.float32]  # (n_leads, n * 128)
    quality: NDArray[np.float64]  # (n_leads, n) of the same seconds
    waiting: tuple[Beat, ...]
    rr_s: tuple[float, ...]  # the last 32
    usual: NDArray[np.float64]  # (n_leads, 128)
    known: int  # beats that `usual` was made of


class Context:
    """Beats in, the same beats in their context out, once asked for; up to 0.7 s later."""

    def __init__(self, fs: Fraction, n_leads: int):
        self._fs = float(fs)
        signal, quality = np.zeros((n_leads, _KEPT * RATE), np.float32), np.zeros((n_leads, _KEPT))
        self.state = ContextState(-_KEPT * RATE, signal, quality, (), (), np.zeros((n_leads, BEFORE + AFTER)), 0)

    def add(self, conditioned: Conditioned, beats: list[Beat]) -> None:
        """The next blocks, and the beats that were decided with them."""
        state = self.state
        self.state = ContextState(
            start=state.start,
            signal=np.concatenate([state.signal, conditioned.signal], axis=1),
            quality=np.concatenate([state.quality, conditioned.quality], axis=1),
            waiting=(*state.waiting, *beats),
            rr_s=state.rr_s,
            usual=state.usual,
            known=state.known,
        )

    def ready(self, decided: int) -> Series:
        """The beats whose context is known, each once; decided : frame before which every beat is known."""
        state = self.state
        x, quality, waiting = state.signal, state.quality, state.waiting
        places = [conditioned_at(beat.sample, self._fs) for beat in waiting]
        ready = sum(place + HORIZON + _SNAP <= decided * LABEL_STEP for place in places)
        out, rr_s, usual, known = [], state.rr_s, state.usual, state.known
        shapes = np.empty((len(x), ready, BEFORE + AFTER), np.float32)
        usuals, weight = np.empty_like(shapes), np.empty((len(x), ready))
        fresh = np.array([isnan(beat.rr_s) for beat in waiting[:ready]], bool)
        for n, beat in enumerate(waiting[:ready]):
            if fresh[n]:
                rr_s, known = (), 0
            follows = n + 1 < len(places) and places[n + 1] - places[n] <= HORIZON and not isnan(waiting[n + 1].rr_s)
            at = places[n] - state.start
            shape, weight[:, n] = x[:, at - BEFORE : at + AFTER], quality[:, at // RATE]
            rr_before = rr_s[-1:]
            if not fresh[n]:
                rr_s = (*rr_s[1 - _LONG :], beat.rr_s)
            shapes[:, n], usuals[:, n] = shape, usual if known else shape
            out.append(_rhythm(beat, rr_s, rr_before, waiting[n + 1].rr_s if follows else None))
            if beat.aami in ("N", "S") or known == 0:
                share = max(_LEARN, 1 / (known + 1))
                usual = usual + share * (shape - usual) if known else shape.astype(np.float64)
                known += 1
        gone = quality.shape[1] - _KEPT
        self.state = ContextState(
            start=state.start + gone * RATE,
            signal=x[:, gone * RATE :].copy(),
            quality=quality[:, gone:].copy(),
            waiting=waiting[ready:],
            rr_s=rr_s,
            usual=usual,
            known=known,
        )
        rhythm = np.array(out, np.float32).reshape(ready, len(RHYTHM))
        return Series(waiting[:ready], shapes, usuals, rhythm, weight, fresh)


def _rhythm(beat: Beat, rr_s: tuple[float, ...], before: tuple[float, ...], after: float | None) -> tuple[float, ...]:
    """`RHYTHM` of a beat; 0 where nothing is known."""
    said = (beat.N + beat.S, beat.V, beat.F, beat.Q)  # what is premature is for the rhythm to say
    if not rr_s or isnan(beat.rr_s):
        return (*(0.0,) * (len(RHYTHM) - len(said)), *said)
    ordered = sorted(rr_s)
    middle, recent = ordered[len(ordered) // 2], median(rr_s[-_SHORT:])
    steps = [abs(log(b / a)) for a, b in pairwise(rr_s[-_SHORT - 1 :])]
    return (
        log(beat.rr_s / 0.8),
        log(beat.rr_s / middle),
        log(beat.rr_s / recent),
        log(beat.rr_s / before[0]) if before else 0.0,
        log(before[0] / middle) if before else 0.0,
        log((after or HORIZON / RATE) / middle),
        float(after is not None),
        log(ordered[len(ordered) // 10] / middle),
        log(ordered[-1 - len(ordered) // 10] / middle),
        sum(steps) / len(steps) if steps else 0.0,
        len(rr_s) / _LONG,
        *said,
    )

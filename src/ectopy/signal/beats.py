"""From the model's frames to beats: peaks of "a beat is here", their class, and the R peak under them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ectopy.recording import AAMI_CLASSES, AamiClass
from ectopy.signal.condition import Conditioned
from ectopy.signal.grid import FRAMES, LABEL_STEP, LAG, RATE, RESTART_S, over_leads
from ectopy.verdict import Beat

_APART = 6  # frames: a beat is the tallest peak within 190 ms to both sides
REACH = _APART + 1  # frames behind a peak that must be in before it is decided
_SNAP = 6  # conditioned samples: the R peak lies within 47 ms of its frame
FAINT = 0.02  # weight of a lead of no quality, so that it is heard where no better one is


@dataclass(frozen=True)
class Thresholds:
    """The operating point.

    beat : mean probability over three frames from which a peak is a beat
    abnormal : anomaly from which a beat is S, V or F
    doubt : the model's doubt from which on a second's quality falls, see `signal.doubt`
    """

    beat: float
    abnormal: float
    doubt: float


@dataclass
class BeatState:
    """What the beat finder carries from block to block; times count from the stream's first frame."""

    decided: int  # frames decided
    scores: NDArray[np.float64]  # (2 * REACH, 6) frames around the first undecided one
    weight: NDArray[np.float64]  # (n_leads, lookahead) of the frames the model has not given yet
    size: NDArray[np.float64]  # what R peaks are looked for in: the samples from `decided - REACH` on
    void: int  # frames in a row without any lead
    peak: int  # frame of the last beat
    last: int  # its sample; -1 at the start and after a restart


class BeatFinder:
    """Frames in, beats out; a beat is given once the frames 220 ms behind it are in."""

    def __init__(self, fs: Fraction, n_leads: int, lookahead: int, thresholds: Thresholds):
        self._fs = fs
        self._lookahead = lookahead
        self._at = thresholds
        nothing = np.zeros((2 * REACH, 1 + len(AAMI_CLASSES)))
        nothing[:, 0] = 1
        self.state = BeatState(
            decided=-lookahead - REACH,
            scores=nothing,
            weight=np.zeros((n_leads, lookahead)),
            size=np.zeros((lookahead + 2 * REACH) * LABEL_STEP),
            void=0,
            peak=-lookahead - _APART - REACH - 1,
            last=-1,
        )

    def push(self, scores: NDArray[np.float32], conditioned: Conditioned) -> list[Beat]:
        """(n_leads, n_blocks * 32, 6) probabilities, `lookahead` frames behind the signal they come with."""
        state = self.state
        weight = np.concatenate([state.weight, _weight(conditioned)], axis=1)
        n = scores.shape[1]
        new, total = _combine(scores, weight[:, :n])
        p = np.concatenate([state.scores, new])
        loud = np.abs(conditioned.signal).reshape(-1, n, LABEL_STEP) * weight[:, -n:, None]
        size = np.concatenate([state.size, over_leads(loud).reshape(-1)])
        void_ends, void = self._voids(total)

        here = 1 - p[:, 0]
        here = (here[:-2] + here[1:-1] + here[2:]) / 3  # without the first frame and the last
        likely = (here[REACH - 1 : REACH - 1 + n] >= self._at.beat).nonzero()[0].tolist()
        heights = here.tolist()
        beats, last, peak = [], state.last, state.peak
        for place in likely:
            frame, height = state.decided + place, heights[place + _APART]
            if frame - peak <= _APART or height < heights[place + _APART + 1]:
                continue  # still rising, as most are: the next line alone would do, and take longer
            if height < max(heights[place : place + 2 * _APART + 1]):
                continue  # the first: a tie with the beat before
            peak = frame
            if void_ends and void_ends[0] <= frame:
                last = -1
                void_ends = [end for end in void_ends if end > frame]
            beat = self._beat(p[place + REACH - 1 : place + REACH + 2].tolist(), frame, size, last)
            last = beat.sample
            beats.append(beat)
        if void_ends:
            last = -1
        self.state = BeatState(
            decided=state.decided + n,
            scores=p[n:].copy(),
            weight=weight[:, n:].copy(),
            size=size[n * LABEL_STEP :].copy(),
            void=void,
            peak=peak,
            last=last,
        )
        return beats

    def _voids(self, total: NDArray[np.float64]) -> tuple[list[int], int]:
        """The frames at which some lead is back after more than 2 s, and how long it has been gone at the end."""
        first, void, ends = self.state.decided + REACH, self.state.void, []
        if void == 0 and np.count_nonzero(total) == len(total):
            return [], 0
        for frame, heard in enumerate(total > 0, first):
            if heard and void > RESTART_S * FRAMES:
                ends.append(frame)
            void = 0 if heard else void + 1
        return ends, void

    def _beat(self, frames: list[list[float]], frame: int, size: NDArray[np.float64], last: int) -> Beat:
        _, n, s, v, f, q = [before + at + after for before, at, after in zip(*frames, strict=True)]
        total = n + s + v + f + q
        n, s, v, f, q = n / total, s / total, v / total, f / total, q / total
        aami, anomaly = aami_class(n, s, v, f, q, self._at.abnormal)
        middle = frame * LABEL_STEP + LABEL_STEP // 2
        begin = max(middle - _SNAP, LAG)
        at = begin - (self.state.decided - REACH) * LABEL_STEP
        r_peak = begin + int(size[at : at + middle + _SNAP + 1 - begin].argmax())
        fs, per = self._fs.numerator, self._fs.denominator
        sample = round((r_peak - LAG) * fs / (RATE * per))  # exact for longer than anybody lives
        rr_s = (sample - last) * per / fs if last >= 0 else float("nan")
        return Beat(sample, sample * per / fs, aami, n, s, v, f, q, rr_s, anomaly)


def aami_class(n: float, s: float, v: float, f: float, q: float, abnormal: float) -> tuple[AamiClass, float]:
    """The class of a beat by its probabilities, and its anomaly; S, V or F where that reaches `abnormal`."""
    anomaly = min(max(1.0 - n - q, 0.0), 1.0)
    if anomaly >= abnormal:
        return ("S" if s >= v and s >= f else "V" if v >= f else "F"), anomaly
    return ("N" if n >= q else "Q"), anomaly


def _weight(conditioned: Conditioned) -> NDArray[np.float64]:
    """(n_leads, n_frames): how much each lead is heard; 0 where it is masked."""
    weight = (FAINT + conditioned.quality).repeat(FRAMES, axis=1)
    if np.count_nonzero(conditioned.gap):
        weight[conditioned.gap.reshape(*weight.shape, LABEL_STEP).any(axis=2)] = 0
    return weight


def _combine(
    scores: NDArray[np.float32], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The leads' mean by weight, and the weights' sum; no beat where no lead is heard."""
    total = over_leads(weight)
    heard = np.count_nonzero(total) == len(total)
    if len(scores) == 1:
        mean = scores[0].astype(np.float64)
    else:
        mean = over_leads(scores * weight[:, :, None]) / (total if heard else np.where(total > 0, total, 1))[:, None]
    if not heard:
        mean[total == 0] = (1, 0, 0, 0, 0, 0)
    return mean, total

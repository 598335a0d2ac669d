"""Random windows of training records, balanced by patient, with the augmentation that a device would bring."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ectopy.signal import LABEL_STEP, RATE, settling
from ectopy.training.data import ABNORMAL_LABELS, Example
from ectopy.training.fit import Examples

_COLD = 0.2  # of the windows

Batch = tuple[NDArray[np.float32], NDArray[np.int8], NDArray[np.float32]]


class Windows(Examples):
    """`steps` batches an epoch; epoch and seed fix them, so that a resumed run sees what an unbroken one would.

    A window comes from a patient drawn by the square root of how long he was recorded, whatever his beats. A fifth
    start cold: they are what a stream sees that begins there. Of the others a share is placed on a random abnormal
    beat, where the patient has one. The lead is drawn among the record's.

    examples : whole records
    cold : parts of records, conditioned from their own first sample
    noise : electrode motion, (n_leads, n), conditioned
    abnormal : that share
    """

    def __init__(
        self,
        examples: Sequence[Example],
        cold: Sequence[Example],
        noise: NDArray[np.float32],
        *,
        seconds: int,
        batch: int,
        steps: int,
        lookahead: int,
        abnormal: float,
        seed: int,
    ):
        super().__init__()
        self._patients = sorted({e.patient for e in examples})
        self._examples, self._cold = (
            {p: [e for e in some if e.patient == p] for p in self._patients} for some in (examples, cold)
        )
        length = np.array([sum(len(e.label) for e in self._examples[p]) for p in self._patients])
        self._share = np.sqrt(length) / np.sqrt(length).sum()
        self._noise = noise
        self._n = seconds * RATE
        self._batch, self._steps, self._lookahead = batch, steps, lookahead
        self._abnormal, self._seed = abnormal, seed
        self._settling = settling(self._n)

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, step: int) -> Batch:
        rng = np.random.default_rng((self._seed, self.epoch, step))
        signal, label, weight = zip(*(self._window(rng) for _ in range(self._batch)), strict=True)
        return np.stack(signal), np.stack(label), np.stack(weight)

    def _window(self, rng: np.random.Generator) -> Batch:
        patient = self._patients[rng.choice(len(self._patients), p=self._share)]
        cold = rng.random() < _COLD
        records = self._cold[patient] if cold else self._examples[patient]
        one = records[rng.integers(len(records))]
        lead = rng.integers(len(one.signal))
        stretch = rng.uniform(0.87, 1.15)  # of time: heart rate and widths together
        n_source = int(self._n * stretch) + 2
        abnormal = one.beats[np.isin(one.beat_labels, ABNORMAL_LABELS)]
        last = one.signal.shape[1] - n_source
        if cold:
            start = 0
        elif len(abnormal) and rng.random() < self._abnormal:
            start = int(abnormal[rng.integers(len(abnormal))]) * LABEL_STEP - int(rng.integers(self._n))
            start = min(max(start, 0), last)
        else:
            start = int(rng.integers(last + 1))
        at = start + np.arange(self._n) * stretch
        signal = np.interp(at, np.arange(start, start + n_source), one.signal[lead, start : start + n_source])
        n_frames = self._n // LABEL_STEP
        nearest = ((start + np.arange(n_frames) * LABEL_STEP * stretch) / LABEL_STEP).astype(int)
        weight = one.weight[lead, nearest].copy()
        label = np.zeros(n_frames, np.int8)
        frames = np.round((one.beats * LABEL_STEP - start) / stretch / LABEL_STEP).astype(int)
        inside = (frames >= 0) & (frames < n_frames)
        for offset in (-1, 1, 0):
            label[np.clip(frames[inside] + offset, 0, n_frames - 1)] = one.beat_labels[inside]
        weight[n_frames - self._lookahead :] = 0  # nothing is known of what follows
        signal = self._dirty(rng, signal)
        if rng.random() < 0.3:
            begin = int(rng.integers(n_frames))
            end = begin + int(rng.integers(2, 96))
            signal[begin * LABEL_STEP : end * LABEL_STEP] = 0
            weight[begin:end] = 0
        return signal.astype(np.float32), label, weight

    def _dirty(self, rng: np.random.Generator, signal: NDArray[np.float64]) -> NDArray[np.float64]:
        signal = signal * np.exp(rng.normal(0, 0.25)) * rng.choice((-1, 1))
        if rng.random() < 0.6:
            signal = signal + rng.uniform(0, 1.4) * self._motion(rng, self._n)
        if rng.random() < 0.4:  # the patient moves for some seconds: up to and beyond what can be read
            for _ in range(rng.integers(1, 4)):
                n = int(np.exp(rng.uniform(np.log(0.15), np.log(6))) * RATE)
                begin = int(rng.integers(self._n - n))
                burst = self._motion(rng, n) if rng.random() < 0.7 else 0.3 * rng.normal(0, 1, n)
                signal[begin : begin + n] += np.exp(rng.uniform(np.log(0.2), np.log(2.5))) * burst
        if rng.random() < 0.4:
            smooth = np.ones(rng.integers(1, 6))  # white, or less of its high frequencies
            noise = np.convolve(rng.normal(0, 1, self._n), smooth / np.sqrt(len(smooth)), "same")
            signal = signal + rng.uniform(0, 0.2) * noise
        if rng.random() < 0.3:  # a device that has just been switched on settles
            signal = signal + rng.normal(0, 1.0) * self._settling
        return signal

    def _motion(self, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        """`n` samples of real electrode motion, of either sign."""
        row = self._noise[rng.integers(len(self._noise))]
        start = int(rng.integers(len(row) - n))
        return rng.choice((-1.0, 1.0)) * row[start : start + n]


def validation(examples: Sequence[Example], *, seconds: int, lookahead: int) -> Batch:
    """The first lead of each record in windows one after the other, as it is."""
    n_frames = seconds * RATE // LABEL_STEP
    signal, label, weight = [], [], []
    for one in examples:
        n = len(one.label) // n_frames
        signal.append(one.signal[0, : n * n_frames * LABEL_STEP].reshape(n, n_frames * LABEL_STEP))
        label.append(one.label[: n * n_frames].reshape(n, n_frames))
        weight.append(one.weight[0, : n * n_frames].reshape(n, n_frames).copy())
        weight[-1][:, n_frames - lookahead :] = 0
    return np.concatenate(signal), np.concatenate(label), np.concatenate(weight)

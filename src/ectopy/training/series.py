"""Series of beats for training: what a beat finder that has not seen the patient makes of his record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ectopy import data
from ectopy.analysis import StreamAnalyzer
from ectopy.evaluation import match_beats
from ectopy.models.autoencoder import TIMING
from ectopy.recording import AAMI_CLASSES, ABNORMAL_CLASSES, Recording
from ectopy.signal import BATCH, RHYTHM, WINDOW, Context
from ectopy.training.fit import Examples
from ectopy.zoo import TrainedModel

_NOISE_DB = (6.0, 18.0)  # signal-to-noise ratio of the noisy copy of a lead
_JITTER = 3  # conditioned samples by which a beat may be off
_NOISE = 0.15  # at most, on what an autoencoder sees, where a QRS complex has about 2
_OPINION = RHYTHM.index("P(N or S)")  # from this column on it is the beat finder's
ABNORMAL = tuple(map(AAMI_CLASSES.index, ABNORMAL_CLASSES))  # among the labels

Inputs = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
Batch = tuple[Inputs, NDArray, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Beats:
    """The beats that were found in one lead, in the order of time.

    shape, usual : (n, 128); rhythm : (n, 15), as `ectopy.signal.Series` has them
    label : (n,) int, 0 to 4 the AAMI classes N S V F Q; -1 where no annotation lies within 150 ms
    """

    patient: str
    shape: NDArray[np.float32]
    usual: NDArray[np.float32]
    rhythm: NDArray[np.float32]
    label: NDArray[np.int64]


def found(name: str, recording: Recording, finder: TrainedModel, motion: NDArray[np.float32]) -> list[Beats]:
    """Each lead of a record, as it is and with electrode motion added."""
    rng = np.random.default_rng(int.from_bytes(name.encode(), "little"))
    out = []
    for lead in recording.leads:
        alone = recording.select([lead])
        start, column = rng.integers(len(motion)), rng.integers(motion.shape[1])
        noise = np.resize(np.roll(motion[:, column], -start), (len(alone.samples), 1))
        noisy = data.at_snr(alone.samples, noise, rng.uniform(*_NOISE_DB))
        out += [_beats(name, one, finder) for one in (alone, replace(alone, samples=noisy))]
    return out


def _beats(name: str, recording: Recording, finder: TrainedModel) -> Beats:
    stream, context = StreamAnalyzer(recording.fs, recording.leads, model=finder), Context(recording.fs, 1)
    parts, step = [], int(BATCH * recording.fs)
    for begin in range(0, len(recording.samples), step):
        for item in stream.prepare(recording.samples[begin : begin + step]):
            context.add(item.conditioned, stream.beats.push(stream.run(item), item.conditioned))
            parts.append(context.ready(stream.beats.state.decided))
    assert recording.annotations is not None
    reference = recording.annotations.beats
    sample = np.array([beat.sample for part in parts for beat in part.beats])
    matches = match_beats(reference.sample, sample, recording.fs)
    label = np.full(len(sample), -1)
    label[matches.detected] = [AAMI_CLASSES.index(aami) for aami in reference.aami[matches.reference]]
    shape, usual = (np.concatenate([getattr(part, key)[0] for part in parts]) for key in ("shape", "usual"))
    return Beats(data.patient(name), shape, usual, np.concatenate([part.rhythm for part in parts]), label)


class SeriesWindows(Examples):
    """`steps` batches an epoch of `length` beats in a row; epoch and seed fix them, as in `Windows`.

    Every patient is as likely as every other; a share of the series holds a random abnormal beat of a random class of
    his.

    abnormal : that share; hidden : share without the heart rate, and without the beat finder's opinion; gain : spread
        of the logarithm of amplitude
    """

    def __init__(
        self,
        beats: Sequence[Beats],
        *,
        length: int,
        batch: int,
        steps: int,
        seed: int,
        abnormal: float,
        hidden: float,
        gain: float,
    ):
        super().__init__()
        self._patients = sorted({one.patient for one in beats if len(one.label)})
        self._beats = {p: [one for one in beats if one.patient == p and len(one.label)] for p in self._patients}
        self._abnormal = {id(one): [c for c in map(one.label.__eq__, ABNORMAL) if c.any()] for one in beats}
        self._length, self._batch, self._steps, self._seed = length, batch, steps, seed
        self._share, self._hidden, self._gain = abnormal, hidden, gain

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, step: int) -> Batch:
        rng = np.random.default_rng((self._seed, self.epoch, step))
        shape, usual, rhythm, label = zip(*(self._series(rng) for _ in range(self._batch)), strict=True)
        truth = np.stack(label)
        return (np.stack(shape), np.stack(usual), np.stack(rhythm)), np.maximum(truth, 0), (truth >= 0).astype("f")

    def _series(self, rng: np.random.Generator) -> tuple[NDArray, NDArray, NDArray, NDArray]:
        leads = self._beats[self._patients[rng.integers(len(self._patients))]]
        one = leads[rng.integers(len(leads))]
        last = max(len(one.label) - self._length, 0)
        classes = self._abnormal[id(one)]
        if classes and rng.random() < self._share:
            places = np.flatnonzero(classes[rng.integers(len(classes))])
            start = int(places[rng.integers(len(places))] - rng.integers(self._length))
        else:
            start = int(rng.integers(last + 1))
        part = slice(min(max(start, 0), last), min(max(start, 0), last) + self._length)
        gain = np.exp(rng.normal(0, self._gain)) * rng.choice((-1, 1))
        shift = int(rng.integers(-_JITTER, _JITTER + 1))
        shape, usual = (np.roll(x[part] * gain, shift, axis=1).astype(np.float32) for x in (one.shape, one.usual))
        rhythm = one.rhythm[part].copy()
        rhythm[:, 0] += rng.normal(0, 0.35)  # a slower heart, or a quicker one: a fast rhythm is no premature one
        for hidden in (slice(0, 1), slice(_OPINION, None)):
            if rng.random() < self._hidden:
                rhythm[:, hidden] = 0
        short = self._length - len(rhythm)
        shape, usual, rhythm = (np.pad(x, ((0, short), (0, 0))) for x in (shape, usual, rhythm))
        return shape, usual, rhythm, np.pad(one.label[part], (0, short), constant_values=-1)


class NormalWindows(SeriesWindows):
    """The same for a model that rebuilds normal beats and has seen no others; they come to it in noise."""

    def __getitem__(self, step: int) -> Batch:
        (shape, usual, rhythm), target, weight = normal_only(super().__getitem__(step))
        rng = np.random.default_rng((self._seed, self.epoch, step, 1))
        noise = rng.uniform(0, _NOISE, (len(shape), 1, 1)) * rng.normal(size=shape.shape)
        return (shape + noise.astype(np.float32), usual, rhythm), target, weight


def normal_only(batch: Batch) -> Batch:
    """The same beats, to be rebuilt: (batch, n, 64 + 5), shape and timing; only those of class N weigh something."""
    (shape, usual, rhythm), label, weight = batch
    target = np.concatenate([shape[:, :, WINDOW], rhythm[:, :, TIMING]], axis=2)
    return (shape, usual, rhythm), target, weight * (label == 0)


def whole(beats: Sequence[Beats], length: int) -> Batch:
    """Series one after the other, as they are, to check a model on."""

    def rows(name: str) -> NDArray:
        columns = (getattr(one, name)[: len(one.label) // length * length] for one in beats)
        return np.concatenate([x.reshape(-1, length, *x.shape[1:]) for x in columns])

    shape, usual, rhythm, label = map(rows, ("shape", "usual", "rhythm", "label"))
    return (shape, usual, rhythm), np.maximum(label, 0), (label >= 0).astype("f")

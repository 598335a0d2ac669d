"""Training records as model input and labels, through the same signal path as everything else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ectopy import data
from ectopy.errors import ModelError
from ectopy.evaluation import flutter_stretches, sleepecg_beats
from ectopy.recording import AAMI_CLASSES, ABNORMAL_CLASSES, Annotations, Recording
from ectopy.signal import FRAMES, LABEL_STEP, LAG, RATE, READABLE, Conditioned, condition

COLD_S = 30  # of a record, conditioned from its own first sample; no hand-held recording is shorter than this
_COLD_STARTS = 40  # a record
ABNORMAL_LABELS = tuple(1 + AAMI_CLASSES.index(aami) for aami in ABNORMAL_CLASSES)


@dataclass(frozen=True, eq=False)
class Example:
    """One record, or a part of it that starts cold; every lead of it.

    signal : (n_leads, n_frames * 4) float32, conditioned
    label : (n_frames,) int8: 0 no beat, 1 to 5 the AAMI classes N S V F Q on the beat's frame and its neighbours
    weight : (n_leads, n_frames) float32, 0 where the lead can't be judged, or where nobody annotated beats
    beats : (n_beats,) frames of the beats, and their labels
    """

    name: str
    patient: str
    signal: NDArray[np.float32]
    label: NDArray[np.int8]
    weight: NDArray[np.float32]
    beats: NDArray[np.int64]
    beat_labels: NDArray[np.int8]


def example(name: str, patient: str, recording: Recording) -> Example:
    """Condition a record and put its annotations on the frame grid."""
    conditioned = condition(recording.samples, recording.fs)
    marks = recording.annotations
    assert marks is not None, f"{name} has no annotations"
    n_frames = conditioned.n_blocks * FRAMES
    beats = marks.beats
    frames = _frame(beats.sample, recording)
    inside = frames < n_frames - 1
    frames, classes = frames[inside], beats.aami[inside]
    labels = np.array([1 + AAMI_CLASSES.index(c) for c in classes], dtype=np.int8)
    label = np.zeros(n_frames, np.int8)
    for offset in (-1, 1, 0):
        label[np.maximum(frames + offset, 0)] = labels
    return Example(name, patient, conditioned.signal, label, _weight(conditioned, marks, recording), frames, labels)


def cold_starts(name: str, patient: str, recording: Recording) -> list[Example]:
    """Parts of a record as a stream that starts there sees them: filters, gain and quality know nothing before."""
    rng = np.random.default_rng(_COLD_STARTS)
    n = _COLD_STARTS if recording.duration_s > 2 * COLD_S else 1
    starts = rng.uniform(0, max(recording.duration_s - COLD_S, 0), n)
    return [example(name, patient, recording.section(start, start + COLD_S)) for start in starts]


def hand_held(protocol: str, data_dir: Path | None = None) -> dict[str, Recording]:
    """What protocol `shipped` trains on besides its records: the training half's recordings labelled normal, long
    enough for a window; their beats, all N, are found by `sleepecg` (nobody annotated them)."""
    found: dict[str, Recording] = {}
    if protocol != "shipped":
        return found
    for name, label in data.hand_held("training", data_dir):
        recording = data.read(name, data_dir=data_dir)
        if label == "N" and recording.duration_s >= COLD_S:
            beats = sleepecg_beats(recording)
            marks = Annotations(beats, np.full(len(beats), "N"), np.full(len(beats), ""))
            found[name] = replace(recording, annotations=marks)
    return found


def _frame(sample: NDArray[np.int64], recording: Recording) -> NDArray[np.int64]:
    return ((sample * (RATE / float(recording.fs)) + LAG) // LABEL_STEP).astype(np.int64)


def _weight(conditioned: Conditioned, marks: Annotations, recording: Recording) -> NDArray[np.float32]:
    gap = conditioned.gap.reshape(len(conditioned.gap), -1, LABEL_STEP).any(axis=2)
    readable = np.repeat(conditioned.quality >= READABLE, FRAMES, axis=1)
    weight = (readable & ~gap).astype(np.float32)
    for stretch in flutter_stretches(marks, len(recording.samples)):
        begin, end = _frame(stretch, recording)
        weight[:, begin:end] = 0  # ventricular flutter: its waves are not annotated as beats
    return weight


def folds(examples: Iterable[Example], n: int) -> list[set[str]]:
    """Patients dealt to `n` folds, each with its share of abnormal beats: patients never cross a split.

    Raises
    ------
    ModelError
        If there are fewer patients than folds: a fold that holds nobody out says nothing of when to stop.
    """
    abnormal: dict[str, int] = {}
    for one in examples:
        count = int(np.isin(one.beat_labels, ABNORMAL_LABELS).sum())
        abnormal[one.patient] = abnormal.get(one.patient, 0) + count
    if len(abnormal) < n:
        raise ModelError(f"{n} folds of {len(abnormal)} patients; expected at most one a patient")
    order = sorted(abnormal, key=lambda patient: (-abnormal[patient], patient))
    dealt: list[set[str]] = [set() for _ in range(n)]
    for place, patient in enumerate(order):
        turn, seat = divmod(place, n)
        dealt[seat if turn % 2 == 0 else n - 1 - seat].add(patient)
    return dealt

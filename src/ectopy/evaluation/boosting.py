"""Gradient boosting on RR intervals and the shape of a beat beside the record's usual one: what learns without a net.

It sees the whole record at once: the usual shape is the median of all its beats, and the next beat is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ectopy.evaluation import features
from ectopy.evaluation.rules import sleepecg_beats
from ectopy.evaluation.said import Said, from_beats
from ectopy.recording import AAMI_CLASSES, Recording
from ectopy.signal import condition


@dataclass(frozen=True, eq=False)
class Boosted:
    """A judge.

    estimator : a fitted classifier of scikit-learn, over `beat_features`
    """

    estimator: Any

    def __call__(self, recording: Recording) -> Said:
        sample = sleepecg_beats(recording)
        probability = np.zeros((len(sample), len(AAMI_CLASSES)))
        if len(sample):
            places = [AAMI_CLASSES.index(name) for name in self.estimator.classes_]
            probability[:, places] = self.estimator.predict_proba(beat_features(recording, sample))
        return from_beats(recording, sample, probability)


def beat_features(recording: Recording, sample: np.ndarray) -> np.ndarray:
    """(n_beats, 11) float32: RR intervals, most as ratios to the usual one; width, likeness and distance to the
    record's median beat. No shape as such: the trees would learn patients by it. NaN where nothing is known.
    """
    shape = features.shapes(condition(recording.samples[:, :1], recording.fs), sample, float(recording.fs))[0]
    known = shape[np.isfinite(shape[:, 0])]
    usual_shape = np.median(known, axis=0) if len(known) else np.zeros(shape.shape[1], np.float32)
    rhythm = features.rhythm(sample, float(recording.fs))
    rr, after, early = rhythm["rr_s"], rhythm["rr_next_s"], rhythm["prematurity"]
    usual = rr / early
    columns = (
        *(rr, after, early, after / usual, rr / after, early.shift(1), rr / rr.median()),
        rr.rolling(10, min_periods=3).std() / usual,
        features.width_ms(shape),
        features.likeness(shape),
        np.sqrt(np.mean((shape - usual_shape) ** 2, axis=1)),
    )
    return np.column_stack(columns).astype(np.float32)

"""What a program says of a recording, in the form that is scored: a model's analysis, or a baseline's beats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ectopy.evaluation.scope import interval_of, owed_intervals
from ectopy.recording import AAMI_CLASSES, Recording
from ectopy.verdict import INTERVAL_S

ABNORMAL_AT = 0.5  # anomaly from which a baseline calls a beat abnormal


@dataclass(frozen=True, eq=False)
class Said:
    """Beats and intervals, as `Analysis` has them."""

    beats: pd.DataFrame
    intervals: pd.DataFrame


Judge = Callable[[Recording], Said]


def from_beats(recording: Recording, sample: np.ndarray, probability: np.ndarray) -> Said:
    """What follows from beats alone: an interval is abnormal where a beat in it is, and never unreadable.

    sample : (n,) int64, ascending
    probability : (n, 5) of the AAMI classes; a beat is S, V or F where these three come to 0.5
    """
    anomaly = probability[:, 1:4].sum(axis=1)
    called = anomaly >= ABNORMAL_AT
    within = np.where(called[:, None], [0, 1, 1, 1, 0], [1, 0, 0, 0, 1]).astype(bool)
    best = np.where(within, probability, -1).argmax(axis=1)
    beats = pd.DataFrame(
        {
            "sample": sample,
            "time_s": sample / float(recording.fs),
            "aami": np.array(AAMI_CLASSES, dtype=object)[best],
            **dict(zip(AAMI_CLASSES, probability.T, strict=True)),
            "anomaly": anomaly,
        }
    )
    n = owed_intervals(len(recording.samples), recording.fs)
    place = interval_of(sample, recording.fs)
    owed = place < n
    score = np.zeros(n)
    np.maximum.at(score, place[owed], anomaly[owed])
    n_abnormal = np.bincount(place[owed & called], minlength=n)
    intervals = pd.DataFrame(
        {
            "start_s": INTERVAL_S * np.arange(n, dtype=float),
            "verdict": np.where(n_abnormal > 0, "abnormal", "normal"),
            "score": score,
            "n_abnormal": n_abnormal,
        }
    )
    return Said(beats, intervals)


def with_anomaly(aami: np.ndarray, anomaly: np.ndarray) -> np.ndarray:
    """(n, 5) probabilities of a program that gives a class and how abnormal the beat is, and no more."""
    probability = np.zeros((len(aami), len(AAMI_CLASSES)))
    place = np.array([AAMI_CLASSES.index(name) for name in aami], dtype=int)
    probability[:, 0] = 1 - anomaly
    rows = np.arange(len(aami))
    abnormal = (place > 0) & (place < 4)
    probability[rows[abnormal], place[abnormal]] = anomaly[abnormal]
    probability[rows[place == 4]] = np.eye(5)[4]
    return probability

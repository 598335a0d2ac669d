"""One record, scored at all levels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

from ectopy.errors import SignalError
from ectopy.evaluation.beats import BeatScores, class_places, score_beats
from ectopy.evaluation.intervals import IntervalScores, score_intervals
from ectopy.evaluation.rhythms import abnormal_rhythms
from ectopy.evaluation.scope import Scope, flutter_stretches, interval_bounds, owed_intervals
from ectopy.recording import ABNORMAL_CLASSES, Annotations, exact_rate


@dataclass(frozen=True, eq=False)
class RecordScores:
    """What became of one record.

    record, patient : names; the bootstrap draws patients, so records of one person share the name
    start_s : where scoring began
    seconds : length of the scored stretch, flutter included
    intervals : None where only beats were scored
    """

    record: str
    patient: str
    start_s: float
    seconds: float
    beats: BeatScores
    intervals: IntervalScores | None

    def counts(self) -> dict[str, float]:
        """The record's row of counts; every gross figure is made from sums of these."""
        intervals = self.intervals.counts() if self.intervals is not None else {}
        return {"seconds": self.seconds, **self.beats.counts(), **intervals}


def evaluate_record(
    annotations: Annotations,
    fs: Fraction | float,
    duration_s: float,
    beats: pd.DataFrame,
    intervals: pd.DataFrame | None,
    start_s: float,
    *,
    record: str = "",
    patient: str | None = None,
    threshold: float | None = None,
) -> RecordScores:
    """Compare what a program said of a record with its reference annotations.

    Parameters
    ----------
    annotations : the reference, all marks (flutter is read from them)
    fs : sampling rate of the record, and of `annotations.sample` and `beats["sample"]`, in Hz
    duration_s : length of the record in seconds
    beats : as `Analysis.beats`; `sample`, `aami` and `anomaly` are used
    intervals : as `Analysis.intervals`; `start_s`, `verdict`, `score` and `n_abnormal` are used. None where
        the positions of the beats were given and only their classes are scored: then the record counts to
        its end, else to the end of the last interval owed
    start_s : what lies before it is not scored
    record, patient : names; the patient is the record by default
    threshold : a beat is called abnormal where `anomaly` reaches it; by default where its class is S, V or F

    Raises
    ------
    SignalError
        If beats run backwards or lack an anomaly, or the intervals do not fit the record or the threshold.
    """
    rate = exact_rate(fs)
    n_samples = round(duration_s * rate)
    scope = scope_of(annotations, rate, n_samples, start_s, to_end=intervals is None)
    sample = beats["sample"].to_numpy(dtype=np.int64)
    anomaly = beats["anomaly"].to_numpy(dtype=float)
    if not np.isfinite(anomaly).all():
        at = sample[~np.isfinite(anomaly)][0]
        raise SignalError(f"{record}: beat at sample {at} has no anomaly; expected a number in [0, 1]")
    aami = class_places(beats["aami"].to_numpy())
    if threshold is None:
        called = np.isin(aami, class_places(np.array(ABNORMAL_CLASSES)))
    else:
        called = anomaly >= threshold
    reference = annotations.beats
    return RecordScores(
        record=record,
        patient=record if patient is None else patient,
        start_s=start_s,
        seconds=max(0, scope.stop - scope.first) / float(rate),
        beats=score_beats(reference, sample, aami, anomaly, called, rate, scope),
        intervals=None
        if intervals is None
        else score_intervals(reference, sample[called], intervals, rate, n_samples, scope),
    )


def scope_of(annotations: Annotations, fs: Fraction, n_samples: int, start_s: float, *, to_end: bool = False) -> Scope:
    """The stretch of a record that is scored, to the end of the last interval owed or, `to_end`, of the record."""
    bounds = interval_bounds(owed_intervals(n_samples, fs), n_samples, fs)
    return Scope(
        first=math.ceil(Fraction(start_s) * fs),
        stop=n_samples if to_end else int(bounds[-1]),
        flutter=flutter_stretches(annotations, n_samples),
        rhythms=abnormal_rhythms(annotations, n_samples),
    )

"""Interval level: is there an abnormal beat in these 5 s?

Conventions
-----------
* Reference: abnormal if at least one reference beat of class S, V or F lies in the interval.
* Called: the program counts at least one abnormal beat in it.
* With findings, the verdict itself is scored: its reference is abnormal where an abnormal rhythm is annotated
  (`ABNORMAL_RHYTHMS`) too.
* An `unreadable` interval is not called abnormal and scores 0: a miss if its reference is abnormal.
* An error is `near_edge` if all the abnormal beats behind it (the reference's for a miss, the program's for a
  false alarm) lie within 150 ms of an edge, where a beat may fall on either side.
* Intervals that touch ventricular flutter have no beat reference and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

from ectopy.errors import SignalError
from ectopy.evaluation.beats import Binary
from ectopy.evaluation.matching import MATCH_WINDOW_S
from ectopy.evaluation.scope import Scope, interval_bounds, interval_of, owed_intervals
from ectopy.recording import ABNORMAL_CLASSES, Annotations
from ectopy.verdict import INTERVAL_S


@dataclass(frozen=True, eq=False)
class IntervalScores:
    """The scored intervals of a record, (n,) each.

    abnormal : by the beats
    with_findings : by the verdicts; no score
    unreadable, near_edge : bool
    seconds : length
    """

    abnormal: Binary
    with_findings: Binary
    unreadable: np.ndarray
    near_edge: np.ndarray
    seconds: np.ndarray

    def counts(self) -> dict[str, float]:
        """Counts of one record: all intervals, those that could be read, the verdict, where errors lie."""
        every, readable = self.abnormal, ~self.unreadable
        only = Binary(every.truth[readable], every.score[readable], every.called[readable])
        return {
            **every.counts("interval"),
            **only.counts("readable"),
            **self.with_findings.counts("verdict"),
            "unreadable": int(self.unreadable.sum()),
            "near_edge": int(self.near_edge.sum()),
            "normal_s": float(self.seconds[~every.truth].sum()),
        }


def score_intervals(
    reference: Annotations,
    called_sample: np.ndarray,
    intervals: pd.DataFrame,
    fs: Fraction,
    n_samples: int,
    scope: Scope,
) -> IntervalScores:
    """Score a record's intervals.

    Parameters
    ----------
    reference : beats only
    called_sample : (n,) int64, the detections that the program calls abnormal
    intervals : as `Analysis.intervals`, one row for each interval owed
    n_samples : length of the record

    Raises
    ------
    SignalError
        If an interval is missing, or its `n_abnormal` is more than the beats called abnormal in it. (It may be less: a
        beat in an unreadable second is called, and decides nothing.)
    """
    n = owed_intervals(n_samples, fs)
    if not np.array_equal(intervals["start_s"], INTERVAL_S * np.arange(n)):
        raise SignalError(
            f"{len(intervals)} intervals do not cover the record: expected {n}, one every {INTERVAL_S} s "
            "from 0; analyse the whole record with the default hop"
        )
    unreadable = (intervals["verdict"] == "unreadable").to_numpy()
    n_abnormal = intervals["n_abnormal"].to_numpy()
    counted = np.bincount(interval_of(called_sample, fs), minlength=n)[:n]
    _check_operating_point(n_abnormal, counted, unreadable)

    abnormal_sample = reference.sample[np.isin(reference.aami, ABNORMAL_CLASSES)]
    truth = np.bincount(interval_of(abnormal_sample, fs), minlength=n)[:n] > 0
    called = ~unreadable & (n_abnormal > 0)
    # A true positive cannot be an error; where one side has no abnormal beat, only the other's decide.
    inner = _inner_beats(abnormal_sample, fs, n) + _inner_beats(called_sample, fs, n) * called

    bounds = interval_bounds(n, n_samples, fs)
    touches_flutter = (scope.flutter[:, 0] < bounds[1:, None]) & (scope.flutter[:, 1] >= bounds[:-1, None])
    in_rhythm = (scope.rhythms[:, 0] < bounds[1:, None]) & (scope.rhythms[:, 1] > bounds[:-1, None])
    in_scope = (bounds[:-1] >= scope.first) & ~touches_flutter.any(axis=1)
    said = (intervals["verdict"] == "abnormal").to_numpy()
    truth_with_rhythms = truth | in_rhythm.any(axis=1)
    score = np.where(unreadable, 0.0, intervals["score"].to_numpy(float))
    return IntervalScores(
        Binary(truth[in_scope], score[in_scope], called[in_scope]),
        with_findings=Binary(truth_with_rhythms[in_scope], said[in_scope].astype(float), said[in_scope]),
        unreadable=unreadable[in_scope],
        near_edge=((truth != called) & (inner == 0))[in_scope],
        seconds=np.diff(bounds)[in_scope] / float(fs),
    )


def _inner_beats(sample: np.ndarray, fs: Fraction, n: int) -> np.ndarray:
    """(n,) int: beats of each interval that lie more than 150 ms from both its edges."""
    into = sample / float(fs) % INTERVAL_S
    inner = np.minimum(into, INTERVAL_S - into) > MATCH_WINDOW_S
    return np.bincount(interval_of(sample[inner], fs), minlength=n)[:n]


def _check_operating_point(said: np.ndarray, counted: np.ndarray, unreadable: np.ndarray) -> None:
    wrong = np.flatnonzero((said > counted) & ~unreadable)
    if len(wrong):
        k = wrong[0]
        raise SignalError(
            f"interval at {INTERVAL_S * k} s: n_abnormal is {said[k]}, but only {counted[k]} of its beats "
            "are abnormal at the threshold given; give the threshold that the model was run with"
        )

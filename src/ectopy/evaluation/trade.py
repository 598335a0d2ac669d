"""What each threshold would give: abnormal intervals found against false alarms, to choose an operating point by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ectopy.evaluation.record import RecordScores

_THRESHOLDS = tuple(np.round(np.arange(0.01, 1, 0.01), 2).tolist())


@dataclass(frozen=True)
class Called:
    """What a threshold would have called of the intervals.

    right, wrong : intervals called that are abnormal, and that are not
    """

    threshold: float
    right: int
    wrong: int
    abnormal: int
    normal_hours: float

    @property
    def sensitivity(self) -> float:
        return self.right / max(self.abnormal, 1)

    @property
    def precision(self) -> float | None:
        """None where nothing is called."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None

    @property
    def false_alarms_per_hour(self) -> float:
        return self.wrong / max(self.normal_hours, 1e-9)


def called(records: Sequence[RecordScores], thresholds: Iterable[float] = _THRESHOLDS) -> list[Called]:
    """For each threshold, over all records at once: an interval is called where its score reaches it."""
    intervals = [one.intervals for one in records if one.intervals is not None]
    truth, score, seconds = (
        np.concatenate(parts)
        for parts in zip(*((i.abnormal.truth, i.abnormal.score, i.seconds) for i in intervals), strict=True)
    )
    abnormal, hours = int(truth.sum()), float(seconds[~truth].sum()) / 3600
    return [
        Called(at, int((truth & (score >= at)).sum()), int((~truth & (score >= at)).sum()), abnormal, hours)
        for at in thresholds
    ]


def trade(records: Sequence[RecordScores]) -> dict[str, list[float | None]]:
    """The same, as it is kept with a model.

    Returns
    -------
    Lists of one length: threshold; sensitivity to abnormal intervals; precision, None where nothing is called; false
    alarms an hour of normal intervals.
    """
    rows = [(one.threshold, one.sensitivity, one.precision, one.false_alarms_per_hour) for one in called(records)]
    names = "threshold", "sensitivity", "precision", "false_alarms_per_hour"
    return {
        name: [None if value is None else round(value, 4) for value in column]
        for name, column in zip(names, zip(*rows, strict=True), strict=True)
    }

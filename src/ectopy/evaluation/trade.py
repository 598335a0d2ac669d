"""What each threshold would give: abnormal intervals found against false alarms, to choose an operating point by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ectopy.evaluation.record import RecordScores

THRESHOLDS = tuple(np.round(np.arange(0.01, 1, 0.01), 2).tolist())


def trade(records: Sequence[RecordScores]) -> dict[str, list[float | None]]:
    """Over all records at once: an interval is called where its score reaches the threshold.

    Returns
    -------
    Lists of one length: threshold; sensitivity to abnormal intervals; precision, None where nothing is called; false
    alarms an hour of normal intervals.
    """
    intervals = [one.intervals for one in records if one.intervals is not None]
    truth, score, seconds = (
        np.concatenate(parts)
        for parts in zip(*((i.abnormal.truth, i.abnormal.score, i.seconds) for i in intervals), strict=True)
    )
    hours = seconds[~truth].sum() / 3600
    rows = []
    for threshold in THRESHOLDS:
        called = score >= threshold
        right, wrong = int((called & truth).sum()), int((called & ~truth).sum())
        precision = right / (right + wrong) if right + wrong else None
        rows.append((threshold, right / max(int(truth.sum()), 1), precision, wrong / max(hours, 1e-9)))
    names = "threshold", "sensitivity", "precision", "false_alarms_per_hour"
    return {
        name: [None if value is None else round(value, 4) for value in column]
        for name, column in zip(names, zip(*rows, strict=True), strict=True)
    }

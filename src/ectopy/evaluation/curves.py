"""What a score gives at every threshold, and whether it is the probability that it claims to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ectopy.evaluation.beats import Binary
from ectopy.recording import ABNORMAL_CLASSES

_BINS = 10


@dataclass(frozen=True, eq=False)
class Curve:
    """The rates at each threshold, from the strictest to the laxest: (n,) each.

    recall, precision, false_positive_rate : by the score
    false_positives : how many items
    at : (recall, precision, false positive rate, false positives) of what was called at the operating point
    """

    recall: np.ndarray
    precision: np.ndarray
    false_positive_rate: np.ndarray
    false_positives: np.ndarray
    at: tuple[float, float, float, float]


def curve(items: Sequence[Binary]) -> Curve:
    """Of all items at once; equal scores are one step. NaN precision where nothing is called."""
    truth, score, called = (
        np.concatenate([getattr(one, name) for one in items]) for name in ("truth", "score", "called")
    )
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)  # of each level
    right = np.append(0, np.cumsum(truth[order])[last])
    wrong = np.append(0, np.cumsum(~truth[order])[last])
    n_true, n_false = max(int(truth.sum()), 1), max(int((~truth).sum()), 1)
    tp, fp = int((truth & called).sum()), int((~truth & called).sum())
    with np.errstate(invalid="ignore"):
        precision = right / (right + wrong)
    return Curve(
        recall=right / n_true,
        precision=precision,
        false_positive_rate=wrong / n_false,
        false_positives=wrong,
        at=(tp / n_true, tp / (tp + fp) if tp + fp else np.nan, fp / n_false, fp),
    )


def calibration(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Of the beats found, by anomaly in equal steps: how many, their mean anomaly, and the share truly abnormal.

    outcomes : as `beat_outcomes`; reference Q is left out, an extra detection is not abnormal

    Returns
    -------
    A row a bin that holds beats: n, said, true.
    """
    kept = outcomes[(outcomes["truth"] != "Q") & outcomes["anomaly"].notna()]
    place = np.minimum((kept["anomaly"].to_numpy() * _BINS).astype(int), _BINS - 1)
    abnormal = kept["truth"].isin(ABNORMAL_CLASSES)
    table = pd.DataFrame({"place": place, "said": kept["anomaly"].to_numpy(), "true": abnormal.to_numpy(dtype=float)})
    return table.groupby("place").agg(n=("said", "size"), said=("said", "mean"), true=("true", "mean"))


def calibration_error(table: pd.DataFrame) -> float:
    """Mean distance of what was said from what was true, weighted by beats (expected calibration error)."""
    return float(np.average((table["said"] - table["true"]).abs(), weights=table["n"])) if len(table) else np.nan

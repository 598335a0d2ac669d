"""From counts to figures: each a ratio of sums, so one function serves a record, the gross and a bootstrap.

A figure's name has three parts, `level.of.figure`, as in `beat.V.f1`. NaN where it does not exist: a
sensitivity or F1 of a class that the reference does not hold, a precision where nothing was called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ectopy.errors import SignalError
from ectopy.evaluation.beats import Binary
from ectopy.evaluation.bootstrap import draw_patients
from ectopy.evaluation.ranking import auroc, average_precision
from ectopy.evaluation.record import RecordScores
from ectopy.recording import AAMI_CLASSES


def record_table(scores: Sequence[RecordScores]) -> pd.DataFrame:
    """Patient level: a row of counts for each record, indexed by its name, with `patient` first.

    `seconds` scored; `matched`, `missed`, `extra` beats; of each class `_tp`, `_fn`, `_fp` and of S and V
    `_fp_EC57`; of `abnormal` beats, `interval`, `readable` intervals and the `verdict` (findings included)
    `_tp`, `_fp`, `_fn`, `_tn`; `unreadable` intervals, errors `near_edge`, `normal_s` of normal intervals.

    Raises
    ------
    SignalError
        If there is no record, or records were scored from different times.
    """
    starts = {s.start_s for s in scores}
    if len(starts) != 1:
        raise SignalError(f"{len(scores)} records scored from {sorted(starts)} s; expected one or more, from one start")
    rows = [{"patient": s.patient, **s.counts()} for s in scores]
    return pd.DataFrame(rows, index=pd.Index([s.record for s in scores], name="record")).dropna(axis=1)


class Pool:
    """Records pooled by patient, ready to be weighted."""

    def __init__(self, scores: Sequence[RecordScores]) -> None:
        self.table = record_table(scores)
        self._owner, self.patients = pd.factorize(self.table["patient"], sort=True)
        self._counts = self.table.groupby("patient", sort=True).sum()
        self._ranked = {"beat.abnormal": [s.beats.abnormal for s in scores]}
        if "interval_tp" in self.table:
            self._ranked["interval.abnormal"] = [s.intervals.abnormal for s in scores if s.intervals]
        self._has_classes = any(s.beats.confusion[:, : len(AAMI_CLASSES)].any() for s in scores)

    def figures(self, weights: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Each figure, (n_draws,), for `weights` of (n_draws, n_patients); by default each patient once."""
        weights = np.ones((1, len(self.patients))) if weights is None else weights
        totals = dict(zip(self._counts.columns, (weights @ self._counts.to_numpy(float)).T, strict=True))
        figures = count_figures(totals, classes=self._has_classes)
        for name, items in self._ranked.items():
            figures |= self._ranking_figures(name, items, weights)
        kinds = list(dict.fromkeys(name.rpartition(".")[0] for name in figures))
        return dict(sorted(figures.items(), key=lambda item: kinds.index(item[0].rpartition(".")[0])))

    def draws(self, n_draws: int, seed: int) -> dict[str, np.ndarray]:
        """Each figure over `n_draws` bootstrap draws of the patients; one seed draws alike in every pool."""
        return self.figures(draw_patients(len(self.patients), n_draws, seed))

    def _ranking_figures(self, name: str, items: Sequence[Binary], weights: np.ndarray) -> dict[str, np.ndarray]:
        truth = np.concatenate([item.truth for item in items])
        score = np.concatenate([item.score for item in items])
        owner = np.repeat(self._owner, [len(item.truth) for item in items])
        return {
            f"{name}.auroc": auroc(truth, score, owner, weights),
            f"{name}.auprc": average_precision(truth, score, owner, weights),
        }


def count_figures(counts: Mapping[str, ArrayLike], *, classes: bool = True) -> dict[str, np.ndarray]:
    """The figures that follow from summed counts, scalars or arrays alike.

    counts : as `RecordScores.counts()`; those of intervals may be absent
    classes : False for a model that names no classes
    """
    c = {name: np.asarray(value, dtype=float) for name, value in counts.items()}
    figures = {
        "beat.detection.se": ratio(c["matched"], c["matched"] + c["missed"]),
        "beat.detection.ppv": ratio(c["matched"], c["matched"] + c["extra"]),
    }
    if classes:
        for name in AAMI_CLASSES:
            tp, fp, fn = c[f"{name}_tp"], c[f"{name}_fp"], c[f"{name}_fn"]
            figures |= _se_ppv_f1(f"beat.{name}", tp, fp, fn)
            if f"{name}_fp_EC57" in c:
                figures |= _se_ppv_f1(f"beat.{name}_EC57", tp, c[f"{name}_fp_EC57"], fn)
    figures |= _se_ppv_f1("beat.abnormal", c["abnormal_tp"], c["abnormal_fp"], c["abnormal_fn"])
    if "interval_tp" in c:
        figures |= _interval_figures(c)
    return figures


def _interval_figures(c: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    tp, fp, fn, tn = (c[f"interval_{kind}"] for kind in ("tp", "fp", "fn", "tn"))
    n = tp + fp + fn + tn
    figures = {"interval.abnormal.accuracy": ratio(tp + tn, n)}
    figures |= _precision_recall_f1("interval.abnormal", tp, fp, fn)
    figures["interval.readable.f1"] = f1(c["readable_tp"], c["readable_fp"], c["readable_fn"])
    verdict = (c[f"verdict_{kind}"] for kind in ("tp", "fp", "fn"))
    figures |= _precision_recall_f1("interval.with_findings", *verdict)
    figures["interval.unreadable.share"] = ratio(c["unreadable"], n)
    figures["interval.errors.near_edge"] = ratio(c["near_edge"], fp + fn)
    figures["interval.false_alarms.per_hour"] = ratio(3600 * fp, c["normal_s"])
    return figures


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """`part / whole`; NaN where there is nothing."""
    return np.divide(part, whole, where=np.asarray(whole) > 0, out=np.full(np.shape(whole), np.nan))


def f1(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray) -> np.ndarray:
    """Harmonic mean of precision and recall; NaN where the reference holds no positive."""
    return np.where(tp + fn > 0, ratio(2 * tp, 2 * tp + fp + fn), np.nan)


def _se_ppv_f1(name: str, tp: np.ndarray, fp: np.ndarray, fn: np.ndarray) -> dict[str, np.ndarray]:
    return {f"{name}.se": ratio(tp, tp + fn), f"{name}.ppv": ratio(tp, tp + fp), f"{name}.f1": f1(tp, fp, fn)}


def _precision_recall_f1(name: str, tp: np.ndarray, fp: np.ndarray, fn: np.ndarray) -> dict[str, np.ndarray]:
    return {
        f"{name}.precision": ratio(tp, tp + fp),
        f"{name}.recall": ratio(tp, tp + fn),
        f"{name}.f1": f1(tp, fp, fn),
    }

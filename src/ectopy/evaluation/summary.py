"""Many records summed up, and two models compared on the same records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ectopy.errors import SignalError
from ectopy.evaluation.beats import CALLED_COLUMNS, REFERENCE_ROWS
from ectopy.evaluation.bootstrap import interval_95
from ectopy.evaluation.gross import Pool
from ectopy.evaluation.record import RecordScores
from ectopy.evaluation.tables import count_rows, figure_rows, markdown, record_rows


@dataclass(frozen=True, eq=False)
class Scores:
    """The figures of a set of records.

    figures : a row a figure, named `level.of.figure` as `beat.V.f1`; columns `value` (gross), `low` and
        `high` (95 % interval, bootstrap over patients; NaN for one patient), `median` (median record, of
        those that hold what is scored)
    confusion : beats, a row a reference class, a column a class called; see `evaluation.beats`
    records : counts of each record, as `record_table`
    n_patients : drawn by the bootstrap
    start_s : where scoring began in each record
    """

    figures: pd.DataFrame
    confusion: pd.DataFrame
    records: pd.DataFrame
    n_patients: int
    start_s: float

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON; NaN becomes None."""
        intervals = self.interval_confusion
        figures = self.figures.astype(object).where(self.figures.notna(), None)
        return {
            "start_s": self.start_s,
            "n_records": len(self.records),
            "n_patients": self.n_patients,
            "figures": figures.to_dict(orient="index"),
            "confusion": self.confusion.to_dict(orient="index"),
            "interval_confusion": None if intervals is None else intervals.to_dict(orient="index"),
            "records": self.records.to_dict(orient="index"),
        }

    @property
    def interval_confusion(self) -> pd.DataFrame | None:
        """Intervals, a row a reference, a column a call; None where only beats were scored."""
        if "interval_tp" not in self.records:
            return None
        n = self.records.sum(numeric_only=True).drop("seconds").astype(int)
        rows = {
            "abnormal": [n["interval_tp"], n["readable_fn"], n["interval_fn"] - n["readable_fn"]],
            "normal": [n["interval_fp"], n["readable_tn"], n["interval_tn"] - n["readable_tn"]],
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=["abnormal", "normal", "unreadable"])

    def to_markdown(self) -> str:
        """Tables: figures with their intervals, confusion matrices, records."""
        tables = [
            markdown(figure_rows({"gross": self.figures}, median=True)),
            markdown(count_rows("beats: reference \\ called", self.confusion)),
            markdown(record_rows(self.records, self.figures.index)),
        ]
        if (intervals := self.interval_confusion) is not None:
            tables.insert(2, markdown(count_rows("intervals: reference \\ called", intervals)))
        return "\n".join(tables)


def summarize(scores: Sequence[RecordScores], *, draws: int = 1000, seed: int = 0) -> Scores:
    """Sum records up. Subsets, as DS2 without 202, are taken by filtering the list.

    Parameters
    ----------
    scores : one for each record, all scored from the same start
    draws : bootstrap draws of the patients; the same seed gives the same draws

    Raises
    ------
    SignalError
        If there is no record, or the starts differ.
    """
    pool = Pool(scores)
    gross = pool.figures()
    drawn = pool.draws(draws, seed) if len(pool.patients) > 1 else {}
    rows = {}
    for name, value in gross.items():
        low, high = interval_95(drawn[name]) if name in drawn else (np.nan, np.nan)
        rows[name] = {"value": float(value[0]), "low": low, "high": high}
    figures = pd.DataFrame.from_dict(rows, orient="index")
    confusion = np.sum([s.beats.confusion for s in scores], axis=0)
    return Scores(
        figures=figures.assign(median=_median_record(scores).reindex(figures.index)),
        confusion=pd.DataFrame(confusion, index=list(REFERENCE_ROWS), columns=list(CALLED_COLUMNS)),
        records=pool.table,
        n_patients=len(pool.patients),
        start_s=scores[0].start_s,
    )


def compare(a: Sequence[RecordScores], b: Sequence[RecordScores], *, draws: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Figures of two models on the same records, and their difference by a paired bootstrap over patients.

    Each draw weights the patients of both models alike, so what a hard patient costs both falls out.

    Returns
    -------
    A row for each figure that both have: `a`, `b`, `difference` (b - a), and its 95 % interval `low`, `high`.

    Raises
    ------
    SignalError
        If the records differ, or one model was scored from another start.
    """
    scored_a, scored_b = (sorted((s.record, s.patient, s.start_s) for s in scores) for scores in (a, b))
    if scored_a != scored_b:
        raise SignalError("the two models were scored on different records or from different starts")
    pool_a, pool_b = Pool(a), Pool(b)
    gross_a, gross_b = pool_a.figures(), pool_b.figures()
    drawn_a, drawn_b = pool_a.draws(draws, seed), pool_b.draws(draws, seed)
    rows = {}
    for name in gross_a.keys() & gross_b.keys():
        low, high = interval_95(drawn_b[name] - drawn_a[name])
        value_a, value_b = float(gross_a[name][0]), float(gross_b[name][0])
        rows[name] = {"a": value_a, "b": value_b, "difference": value_b - value_a, "low": low, "high": high}
    return pd.DataFrame.from_dict(rows, orient="index").reindex([name for name in gross_a if name in rows])


def _median_record(scores: Sequence[RecordScores]) -> pd.Series:
    table = pd.DataFrame([{name: float(v[0]) for name, v in Pool([s]).figures().items()} for s in scores])
    for name in table:
        held = f"{name.rpartition('.')[0]}.f1"  # exists only where the record holds the class
        if name.endswith((".ppv", ".precision")) and held in table:
            table[name] = table[name].where(table[held].notna())
    return table.median()

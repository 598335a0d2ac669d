"""Many records summed up, and two models compared on the same records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ectopy.errors import SignalError
from ectopy.evaluation.beats import CALLED_COLUMNS, REFERENCE_ROWS
from ectopy.evaluation.bootstrap import interval_95
from ectopy.evaluation.gross import Pool
from ectopy.evaluation.record import RecordScores

_PERCENT = {"se", "ppv", "accuracy", "precision", "recall", "share", "near_edge"}
_LABELS = {"se": "Se", "ppv": "+P", "f1": "F1", "auroc": "AUROC", "auprc": "AUPRC"}


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
        figures = self.figures.astype(object).where(self.figures.notna(), None)
        return {
            "start_s": self.start_s,
            "n_records": len(self.records),
            "n_patients": self.n_patients,
            "figures": figures.to_dict(orient="index"),
            "confusion": self.confusion.to_dict(orient="index"),
            "records": self.records.to_dict(orient="index"),
        }

    def to_markdown(self) -> str:
        """Figures with their intervals, and the confusion matrix of beats."""
        confusion = markdown_table(
            [["reference \\ called", *self.confusion.columns]]
            + [[str(name), *(str(n) for n in row)] for name, row in self.confusion.iterrows()]
        )
        return f"{side_by_side({'gross [95 %]': self}, median=True)}\n{confusion}"


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


def compare(
    a: Sequence[RecordScores], b: Sequence[RecordScores], *, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
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


def side_by_side(columns: Mapping[str, Scores], *, median: bool = False) -> str:
    """A Markdown table: a row a figure, a column a set of records, each value with its 95 % interval."""
    return markdown_table(figure_rows(columns, median=median))


def figure_rows(columns: Mapping[str, Scores], *, median: bool = False) -> list[list[str]]:
    """The cells of `side_by_side`, the heading first."""
    rows = [["level", "of", "figure", *columns, *(["median record"] if median else [])]]
    for name in next(iter(columns.values())).figures.index:
        level, of, figure = name.split(".")
        cells = [_cell(scores.figures, name) for scores in columns.values()]
        if median:
            cells.append(_number(name, next(iter(columns.values())).figures.loc[name, "median"]))
        rows.append([level, of.replace("_", " "), _LABELS.get(figure, figure.replace("_", " ")), *cells])
    return rows


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table of cells, the heading first."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n".join(lines) + "\n"


def _median_record(scores: Sequence[RecordScores]) -> pd.Series:
    table = pd.DataFrame([{name: float(v[0]) for name, v in Pool([s]).figures().items()} for s in scores])
    for name in table:
        held = f"{name.rpartition('.')[0]}.f1"  # exists only where the record holds the class
        if name.endswith((".ppv", ".precision")) and held in table:
            table[name] = table[name].where(table[held].notna())
    return table.median()


def _cell(figures: pd.DataFrame, name: str) -> str:
    if name not in figures.index:
        return "–"
    value, low, high = figures.loc[name, ["value", "low", "high"]]
    interval = "" if np.isnan(low) else f" [{_number(name, low)}, {_number(name, high)}]"
    return _number(name, value) + interval


def _number(name: str, value: float) -> str:
    if np.isnan(value):
        return "–"
    figure = name.rpartition(".")[2]
    if figure in _PERCENT:
        return f"{100 * value:.2f} %"
    return f"{value:.1f}" if figure == "per_hour" else f"{value:.3f}"

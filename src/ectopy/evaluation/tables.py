"""Scores as rows of words, the heading first: for a terminal, or as Markdown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from ectopy.evaluation.gross import count_figures

Rows = list[list[str]]

_PERCENT = {"se", "ppv", "accuracy", "precision", "recall", "share", "near_edge"}
_LABELS = {"se": "Se", "ppv": "+P", "f1": "F1", "auroc": "AUROC", "auprc": "AUPRC"}


def figure_rows(columns: Mapping[str, pd.DataFrame], *, median: bool = False) -> Rows:
    """A row a figure, a column a set of records: the value and its 95 % interval.

    columns : `Scores.figures` by the name of the set; the first says which figures there are
    median : whether the first set's median record stands beside it
    """
    first = next(iter(columns.values()))
    rows = [["level", "of", "figure", *(f"{name} [95 %]" for name in columns)]]
    if median:
        rows[0].append("median record")
    for name in first.index:
        level, of, figure = name.split(".")
        row = [level, of.replace("_", " "), _LABELS.get(figure, figure.replace("_", " "))]
        row += [_with_interval(name, table) for table in columns.values()]
        if median:
            row.append(_number(name, first.loc[name, "median"]))
        rows.append(row)
    return rows


def count_rows(corner: str, counts: pd.DataFrame) -> Rows:
    """A table of counts under its own names."""
    cells = zip(counts.index, counts.to_numpy().tolist(), strict=True)
    return [[corner, *counts.columns], *([str(name), *map(str, row)] for name, row in cells)]


def record_rows(records: pd.DataFrame, known: Collection[str]) -> Rows:
    """Patient level: a row a record, from its counts.

    known : names of the figures that exist for the set: a model without classes has none of S and V
    """
    figures = count_figures(records.select_dtypes("number").to_dict(orient="series"))
    heads = {
        "beat.S.f1": "S F1",
        "beat.V.f1": "V F1",
        "beat.abnormal.f1": "abnormal F1",
        "interval.abnormal.f1": "interval F1",
        "interval.unreadable.share": "unreadable",
        "interval.false_alarms.per_hour": "false alarms/h",
    }
    shown = {name: head for name, head in heads.items() if name in known}
    rows = [["record", "beats", "missed", "extra", *shown.values()]]
    for k, (record, n) in enumerate(records.iterrows()):
        counts = [n["matched"] + n["missed"], n["missed"], n["extra"]]
        rows.append([str(record), *map(str, counts), *(_number(name, figures[name][k]) for name in shown)])
    return rows


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a Markdown table, its columns aligned for the eye."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    head, *body = rows
    lines = [_line(head, widths), _line(["-" * width for width in widths], widths)]
    return "\n".join([*lines, *(_line(row, widths) for row in body)]) + "\n"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
    return f"| {' | '.join(cells)} |"


def _with_interval(name: str, figures: pd.DataFrame) -> str:
    if name not in figures.index:
        return "–"
    value, low, high = (_number(name, figures.loc[name, column]) for column in ("value", "low", "high"))
    return value if low == "–" else f"{value} [{low}, {high}]"


def _number(name: str, value: float) -> str:
    """Percent with two decimals, but F1 and areas, as usual, as fractions."""
    if np.isnan(value):
        return "–"
    figure = name.rpartition(".")[2]
    if figure in _PERCENT:
        return f"{100 * value:.2f}%"
    return f"{value:.1f}" if figure == "per_hour" else f"{value:.3f}"

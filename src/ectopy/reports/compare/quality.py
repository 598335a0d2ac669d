"""Sections on quality: figures with their intervals, differences from the best, confusion matrices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ectopy.evaluation import Comparison
from ectopy.figures import compare as draw
from ectopy.recording import ABNORMAL_CLASSES
from ectopy.reports.compare.tables import MAIN, Contest, as_frame, main_rows, paired_rows, set_rows
from ectopy.reports.section import Section, listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DRAWN = ("interval.abnormal.f1", "beat.abnormal.f1", "beat.V.f1", "beat.S.f1")
_MATRICES = 4  # drawn side by side, two in a row
_ROW = 0.36  # inches an entrant


def figures(contest: Contest, comparison: Comparison) -> Section:
    """F1 on intervals and beats, with 95 % intervals over patients, beside all that the README's table holds."""
    from matplotlib.figure import Figure

    drawn = [e.name for e in comparison.drawn]
    colours = draw.entrant_colours(drawn)
    figure = Figure((11, 0.95 + _ROW * len(drawn)), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(_DRAWN), sharey=True))
    for ax, name in zip(axes, _DRAWN, strict=True):
        rows = {e: _row(comparison, e, name) for e in drawn}
        draw.forest(ax, pd.DataFrame.from_dict(rows, orient="index"), colours).set_title(MAIN[name], fontsize=9)
    return Section("quality", "Quality", _quality_text(comparison), figure, as_frame(main_rows(contest, comparison)))


def _quality_text(comparison: Comparison) -> str:
    best = comparison.best()
    ours = _row(comparison, best.name, "interval.abnormal.f1")
    others = [e for e in comparison.drawn if e.kind != "model"]
    text = f"{best.name} has the best F1 of the models on 5-s intervals: {_with_interval(ours)}."
    if others and best.kind == "model":
        values = {e.name: _f1(comparison, e.name) for e in others}
        other = max(values, key=lambda name: values[name])
        text += f" The best of the others is {other} with {values[other]:.3f}."
    worst = _weakest(comparison, best.name)
    if worst:
        text += f" Its weakest class is {worst[0]} (F1 {worst[1]:.3f})."
    one_patient = comparison.headline(best.name).n_patients == 1
    text += " One patient: no intervals." if one_patient else " Lines are 95 % intervals over patients."
    flat = [e.name for e in comparison.drawn if "beat.V.f1" not in comparison.headline(e.name).figures.index]
    return text + (f" Without classes, and so in binary figures only: {listed(flat)}." if flat else "")


def _weakest(comparison: Comparison, name: str) -> tuple[str, float] | None:
    values = {aami: comparison.value(name, f"beat.{aami}.f1") for aami in ("N", "S", "V", "F")}
    known = {aami: value for aami, value in values.items() if not math.isnan(value)}
    return min(known.items(), key=lambda item: item[1]) if known else None


def other_sets(comparison: Comparison) -> Section:
    """The same without the records that weigh most, and from the first second."""
    key, title = "sets", "Other sets of records"
    best = comparison.best().name
    columns = comparison.columns(best)
    if len(columns) == 1:
        return Section(key, title, f"{comparison.on} is scored as a whole only, from its first second.")
    moved = {name: _moved(comparison, best, name) for name in list(columns)[1:]}
    widest = max(moved, key=lambda name: abs(moved[name][1]))
    figure, change = moved[widest]
    text = f"What moves {best} most is '{widest}': {figure} by {change:+.3f} against the headline, "
    text += f"'{next(iter(columns))}'."
    return Section(key, title, text, table=as_frame(set_rows(comparison)))


def _moved(comparison: Comparison, name: str, other: str) -> tuple[str, float]:
    table = comparison.columns(name)[other].figures
    changes = {
        MAIN[figure]: float(table.loc[figure, "value"]) - comparison.value(name, figure)
        for figure in _DRAWN
        if figure in table.index
    }
    known = {figure: change for figure, change in changes.items() if not math.isnan(change)}
    return max(known.items(), key=lambda item: abs(item[1])) if known else ("nothing", 0.0)


def paired(comparison: Comparison) -> Section:
    """Each entrant against the best model, patients drawn alike for both."""
    key, best = "paired", comparison.best().name
    title = f"Differences from {best}"
    table = comparison.paired()
    table = table[table["entrant"].isin([e.name for e in comparison.drawn])]
    if table.empty:
        return Section(key, title, f"{best} stands alone: nothing to set it against.")
    own = table[table["figure"] == "interval.abnormal.f1"].set_index("entrant")
    surely = [str(name) for name, row in own.iterrows() if row["high"] < 0]
    open_ = [str(name) for name, row in own.iterrows() if not row["high"] < 0]
    text = f"On intervals, {best} is surely better than {listed(surely)}" if surely else "On intervals"
    text += f"; not told apart from it: {listed(open_)}." if open_ and surely else ""
    text += f" {best} is told apart from nobody." if not surely else "" if open_ else "."
    text += " 'Surely': the 95 % interval of the difference, paired over patients, lies below 0. The best was picked "
    text += "by these same records, so its lead is somewhat too large."
    return Section(key, title, text, _paired_figure(comparison, table), as_frame(paired_rows(comparison)))


def _paired_figure(comparison: Comparison, table: pd.DataFrame) -> Figure:
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(table["entrant"]))
    colours = draw.entrant_colours([e.name for e in comparison.drawn])
    figure = Figure((11, 1.1 + _ROW * len(names)), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(_DRAWN), sharey=True))
    for ax, name in zip(axes, _DRAWN, strict=True):
        own = table[table["figure"] == name].set_index("entrant").reindex(names)
        draw.differences(ax, own, colours).set_title(MAIN[name], fontsize=9)
    figure.supxlabel(f"less than {comparison.best().name}  ←   difference   →  more", fontsize=8)
    return figure


def matrices(comparison: Comparison) -> Section:
    """Every beat by its class and the class it was given, for the models and the best of the others."""
    from matplotlib.figure import Figure

    key, title = "confusion", "Confusion matrices"
    abnormal = list(ABNORMAL_CLASSES)
    classed = [e for e in comparison.drawn if comparison.headline(e.name).confusion[abnormal].to_numpy().any()]
    models = sorted((e for e in classed if e.kind == "model"), key=lambda e: -_f1(comparison, e.name))
    others = sorted((e for e in classed if e.kind != "model"), key=lambda e: -_f1(comparison, e.name))
    shown = [e.name for e in (models + others)[:_MATRICES]]
    if not shown:
        return Section(key, title, "No entrant gave a class other than N.")
    rows = math.ceil(len(shown) / 2)
    figure = Figure((10, 3.4 * rows), layout="constrained")
    axes = figure.subplots(rows, 2, squeeze=False).ravel()
    for ax, name in zip(axes, shown, strict=False):
        counts = comparison.headline(name).confusion
        empty = [column for column in counts if not counts[column].any()]
        draw.beat_matrix(ax, counts.drop(columns=empty)).set_title(name, fontsize=9)
    for ax in axes[len(shown) :]:
        ax.set_axis_off()
    counts = comparison.headline(shown[0]).confusion
    text = f"{_confused(counts, shown[0])} Numbers are beats, the shade is the share of the reference class; 'extra' "
    text += "are detections where no beat is, 'missed' beats that were not found."
    return Section(key, title, text, figure, _interval_matrices(comparison))


def _confused(counts: pd.DataFrame, name: str) -> str:
    wrong = counts.loc[["N", "S", "V", "F"]].copy()
    for aami in ("N", "S", "V", "F"):
        wrong.loc[aami, aami] = 0
    flat = wrong.stack().sort_values(ascending=False)
    (truth, called), n = flat.index[0], int(flat.iloc[0])
    total = int(wrong.to_numpy().sum())
    if not n:
        return f"{name} makes no mistake."
    word = "not found" if called == "missed" else f"called {called}"
    return f"The commonest mistake of {name} is {truth} {word}: {n:,} of {total:,} wrong beats."


def _interval_matrices(comparison: Comparison) -> pd.DataFrame:
    rows = []
    for e in comparison.entrants:
        counts = comparison.headline(e.name).interval_confusion
        if counts is not None:
            cells = {
                f"{truth}: called {called}": f"{n:,}" for truth, row in counts.iterrows() for called, n in row.items()
            }
            rows.append({"5-s intervals": e.name, **cells})
    return pd.DataFrame(rows)


def _row(comparison: Comparison, name: str, figure: str) -> dict[str, float]:
    table = comparison.headline(name).figures
    if figure not in table.index:
        return dict.fromkeys(("value", "low", "high"), math.nan)
    return {column: float(table.loc[figure, column]) for column in ("value", "low", "high")}


def _f1(comparison: Comparison, name: str) -> float:
    return float(np.nan_to_num(comparison.value(name, "interval.abnormal.f1")))


def _with_interval(row: dict[str, float]) -> str:
    text = f"{row['value']:.3f}"
    return text if math.isnan(row["low"]) else f"{text} [{row['low']:.3f}, {row['high']:.3f}]"

"""Sections on scores: ROC, precision and recall, alarms an hour, reliability."""

from __future__ import annotations

import math

import numpy as np

from ectopy.evaluation import Comparison, Curve, calibration, calibration_error, curve
from ectopy.figures import compare as draw
from ectopy.reports.section import Section, listed

_PANELS = 4  # reliability diagrams in a row


def rates(comparison: Comparison) -> Section:
    """ROC and precision over recall, for abnormal beats and for intervals."""
    from matplotlib.figure import Figure

    names = [e.name for e in comparison.drawn]
    look = draw.entrant_colours(names), draw.set_lines(names)
    figure = Figure((11, 8.4), layout="constrained")
    axes = figure.subplots(2, 2)
    for row, level, title in ((0, "beat", "abnormal beats"), (1, "interval", "5-s intervals")):
        curves = {name: _curve(comparison, name, level) for name in names}
        roc = {n: draw.Line(c.false_positive_rate, c.recall, (c.at[2], c.at[0])) for n, c in curves.items()}
        pr = {n: draw.Line(c.recall, _from_left(c.precision), (c.at[0], c.at[1])) for n, c in curves.items()}
        chance = float(next(iter(curves.values())).precision[-1])
        draw.roc(axes[row, 0], roc, *look).set_title(f"{title}: ROC", fontsize=9)
        draw.precision_recall(axes[row, 1], pr, *look, chance).set_title(f"{title}: precision and recall", fontsize=9)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(names), 6), fontsize=8, frameon=False)
    best = comparison.best().name
    auroc, auprc = (comparison.value(best, f"interval.abnormal.{name}") for name in ("auroc", "auprc"))
    at = _curve(comparison, best, "interval").at
    text = f"On intervals {best} has an area of {auroc:.3f} under the ROC curve and of {auprc:.3f} under that of "
    text += f"precision and recall. At its operating point (the dot) it finds {100 * at[0]:.0f} % of the abnormal "
    text += (
        f"intervals, and {100 * at[1]:.0f} % of those it calls abnormal are. "
        if math.isfinite(at[1])
        else "intervals. "
    )
    text += "A program that gives a class and no probability has one corner."
    return Section("curves", "ROC, precision and recall", text, figure)


def alarms(comparison: Comparison) -> Section:
    """How many abnormal intervals are found for how many false alarms an hour."""
    from matplotlib.figure import Figure

    names = [e.name for e in comparison.drawn]
    hours = comparison.headline(names[0]).records["normal_s"].sum() / 3600
    key, title = "alarms", "Alarms"
    if not hours:
        return Section(key, title, "No normal interval: no false alarm is possible.")
    curves = {name: _curve(comparison, name, "interval") for name in names}
    lines = {n: draw.Line(c.false_positives / hours, c.recall, (c.at[3] / hours, c.at[0])) for n, c in curves.items()}
    figure = Figure((9, 4.2), layout="constrained")
    draw.alarm_curves(figure.subplots(), lines, draw.entrant_colours(names), draw.set_lines(names))
    best = comparison.best().name
    recall, alarms_an_hour = curves[best].at[0], curves[best].at[3] / hours
    allowed = [(n, _recall_at(curves[best], n * hours)) for n in (1, 10)]
    text = f"{best} finds {100 * recall:.0f} % of the abnormal intervals with {alarms_an_hour:.1f} false alarms an "
    text += "hour of normal intervals; with another threshold it would find "
    text += f"{listed([f'{100 * found:.0f} % with {n}' for n, found in allowed])}."
    return Section(key, title, text, figure)


def reliability(comparison: Comparison) -> Section:
    """Whether what is said to be 70 % sure is right in 70 % of the cases."""
    from matplotlib.figure import Figure

    key, title = "reliability", "Reliability"
    shown = [e.name for e in comparison.drawn if e.kind == "model" or e.name.startswith("boosting")]
    if not shown:
        return Section(key, title, "No entrant gives probabilities.")
    tables = {name: calibration(comparison.outcomes(name)) for name in shown}
    columns = min(len(shown), _PANELS)
    rows = math.ceil(len(shown) / columns)
    figure = Figure((2.9 * columns + 0.4, 3.1 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    colours = draw.entrant_colours([e.name for e in comparison.drawn])
    for ax, name in zip(axes, shown, strict=False):
        error = calibration_error(tables[name])
        draw.reliability(ax, tables[name], colours[name]).set_title(f"{name}: off by {error:.3f}", fontsize=9)
    for ax in axes[len(shown) :]:
        ax.set_axis_off()
    best = comparison.best().name
    if best not in tables:
        best = shown[0]
    off = tables[best]
    sure = off[off["said"] >= 0.5]
    text = f"What {best} says is off by {calibration_error(off):.3f} on the mean of all beats found."
    if sure["n"].sum():
        said, true = (np.average(sure[column], weights=sure["n"]) for column in ("said", "true"))
        word = "too sure" if said > true + 0.02 else "not sure enough" if said < true - 0.02 else "about right"
        text += f" Where it says abnormal it is {word}: it says {said:.2f}, and {true:.2f} are."
    text += " Points on the diagonal would be right; their size and number are beats."
    return Section(key, title, text, figure)


def _curve(comparison: Comparison, name: str, level: str) -> Curve:
    scores = comparison.scores(name)
    if level == "beat":
        return curve([one.beats.abnormal for one in scores])
    return curve([one.intervals.abnormal for one in scores if one.intervals is not None])


def _recall_at(one: Curve, false_positives: float) -> float:
    within = one.recall[one.false_positives <= false_positives]
    return float(within.max()) if len(within) else 0.0


def _from_left(precision: np.ndarray) -> np.ndarray:
    """With the first precision there is where nothing is called yet."""
    return np.append(precision[1], precision[1:])

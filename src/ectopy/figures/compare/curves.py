"""ROC, precision and recall, alarms, reliability: what a score gives at every threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ectopy.figures.eda.style import tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MOST = 2000  # points a line is drawn with
_FEW_ALARMS = 0.3  # an hour, where the logarithmic axis begins
_INK, _CHOSEN = "#1b1b1b", "#0072b2"


@dataclass(frozen=True, eq=False)
class Line:
    """A line (x and y, of one length) and where on it the operating point lies."""

    x: np.ndarray
    y: np.ndarray
    at: tuple[float, float]


Lines = Mapping[str, Line]


def roc(ax: Axes, lines: Lines, colours: Mapping[str, str], styles: Mapping[str, Any]) -> Axes:
    """Draw sensitivity over the false positive rate; a dot is the operating point."""
    ax.plot([0, 1], [0, 1], color="#c4c4c4", lw=0.8)
    _draw(ax, lines, colours, styles)
    ax.set(xlim=(0, 1), ylim=(0, 1.01), xlabel="false positive rate", ylabel="sensitivity")
    return tidy(ax, "both")


def precision_recall(
    ax: Axes, lines: Lines, colours: Mapping[str, str], styles: Mapping[str, Any], chance: float
) -> Axes:
    """Draw precision over recall; a dot is the operating point, the grey line what chance gives."""
    ax.axhline(chance, color="#c4c4c4", lw=0.8)
    _draw(ax, lines, colours, styles, "steps-pre")
    ax.set(xlim=(0, 1), ylim=(0, 1.01), xlabel="recall", ylabel="precision")
    return tidy(ax, "both")


def alarm_curves(ax: Axes, lines: Lines, colours: Mapping[str, str], styles: Mapping[str, Any]) -> Axes:
    """Draw recall over false alarms an hour of normal intervals, on a logarithmic axis; dots are operating points."""
    _draw(_alarm_axes(ax), lines, colours, styles, "steps-post")
    ax.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.02, 0.5))
    return tidy(ax, "both")


def trade_curve(
    ax: Axes, false_alarms: Sequence[float], sensitivity: Sequence[float], points: Mapping[str, int], chosen: str
) -> Axes:
    """Draw recall over false alarms an hour of one model, and its operating points by name.

    false_alarms, sensitivity : one each a threshold
    points : operating points, by the place of their threshold
    chosen : one of them
    """
    _alarm_axes(ax).plot(false_alarms, sensitivity, color=_INK, lw=1.3)
    for name, place in points.items():
        here, at = name == chosen, (false_alarms[place], sensitivity[place])
        ax.plot(*at, "o", ms=9 if here else 6, color=_CHOSEN if here else "white", mec=_CHOSEN if here else _INK)
        weight = "bold" if here else "normal"
        ax.annotate(name, at, (8, -4), textcoords="offset points", va="top", fontsize=8, weight=weight)
    return tidy(ax, "both")


def reliability(ax: Axes, table: pd.DataFrame, colour: str) -> Axes:
    """Draw which share of beats is abnormal (true) over what was said (said): a point a bin, sized by its beats (n)."""
    ax.plot([0, 1], [0, 1], color="#c4c4c4", lw=0.8)
    ax.plot(table["said"], table["true"], color=colour, lw=1.2)
    size = 8 + 70 * np.log1p(table["n"]) / np.log1p(table["n"].max())
    ax.scatter(table["said"], table["true"], s=size, color=colour, ec="white", lw=0.6, zorder=3, clip_on=False)
    for said, true, n in table[["said", "true", "n"]].to_numpy():
        above = true > said or true < 0.1
        right = (true > said) != above or not above
        ax.annotate(f"{int(n):,}", (said, true), (6 if right else -5, 4 if above else -6), textcoords="offset points",
                    fontsize=6, color="#6e6e6e", ha="left" if right else "right", va="center")  # fmt: skip
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="anomaly said", ylabel="share abnormal")
    ax.set_aspect("equal")
    return tidy(ax, "both")


def _alarm_axes(ax: Axes) -> Axes:
    ax.set_xscale("symlog", linthresh=_FEW_ALARMS)
    ax.set(
        xlim=(0, 720), ylim=(0, 1.01), xlabel="false alarms an hour (logarithmic)", ylabel="abnormal intervals found"
    )
    ax.set_xticks([0, 1, 10, 100, 720], ["0", "1", "10", "100", "720"])
    return ax


def _draw(
    ax: Axes,
    lines: Lines,
    colours: Mapping[str, str],
    styles: Mapping[str, Any],
    steps: Literal["default", "steps-pre", "steps-post"] = "default",
) -> None:
    """With `steps` a line goes through what thresholds can give, and nothing between."""
    for name, line in lines.items():
        keep = np.unique(np.linspace(0, len(line.x) - 1, min(_MOST, len(line.x))).astype(int))
        ax.plot(line.x[keep], line.y[keep], color=colours[name], ls=styles[name], lw=1.3, label=name, drawstyle=steps)
        if np.isfinite(line.at).all():
            ax.plot(*line.at, "o", ms=4.5, color=colours[name], mec="white", mew=0.6, clip_on=False, zorder=3)

"""Abnormal intervals found against false alarms, and where the operating points lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FEW = 1.0  # false alarms an hour up to which the axis is linear
_INK, _CHOSEN = "#1b1b1b", "#0072b2"


def trade_curve(
    false_alarms: Sequence[float], sensitivity: Sequence[float], points: Mapping[str, int], chosen: str, ax: Axes
) -> Axes:
    """Draw it.

    false_alarms, sensitivity : an hour of normal signal, and 0 to 1; one each a threshold
    points : operating points, by the place of their threshold
    chosen : one of them
    """
    ax.set_xscale("symlog", linthresh=_FEW)
    ax.plot(false_alarms, sensitivity, color=_INK, lw=1.3)
    for name, place in points.items():
        here = name == chosen
        x, y = false_alarms[place], sensitivity[place]
        ax.plot(x, y, "o", ms=9 if here else 6, color=_CHOSEN if here else "white", mec=_CHOSEN if here else _INK)
        weight = "bold" if here else "normal"
        ax.annotate(name, (x, y), (8, -4), textcoords="offset points", va="top", fontsize=8, weight=weight)
    ax.set(xlim=(0, 720), ylim=(0, 1.02), xlabel="false alarms an hour of normal signal (logarithmic)")
    ax.set_ylabel("abnormal intervals found")
    ax.set_xticks([0, 1, 10, 100, 720], ["0", "1", "10", "100", "720"])
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    ax.grid(color="#e4e4e4", lw=0.6)
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=8)
    ax.spines[["top", "right"]].set_visible(False)
    return ax

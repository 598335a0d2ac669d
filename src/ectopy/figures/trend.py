"""The heart rate over time, with the verdicts below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ectopy.figures.overview import bars, time_axis
from ectopy.figures.words import VERDICT_COLOURS
from ectopy.verdict import Word

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Rated(Protocol):
    """What is drawn of an interval."""

    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...
    @property
    def verdict(self) -> Word: ...
    @property
    def heart_rate(self) -> float | None: ...


def rate_trend(intervals: Sequence[Rated], ax: Axes, at_s: float | None = None) -> Axes:
    """Draw the heart rate of each interval, and a band of verdicts along the bottom.

    at_s : what is looked at elsewhere, marked by a line
    """
    start, end, rate = (
        np.array([getattr(one, name) for one in intervals], float) for name in ("start_s", "end_s", "heart_rate")
    )
    word = np.array([one.verdict for one in intervals], dtype="U10")
    many = len(intervals) > 1000
    ax.plot((start + end) / 2, rate, color="#1b1b1b", lw=0.5 if many else 0.9, marker=".", ms=1 if many else 3)
    known = rate[np.isfinite(rate)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (40.0, 120.0)
    ax.set_ylim(low - 0.28 * (high - low + 20), high + 8)
    for one, colour in VERDICT_COLOURS.items():
        edge = "none" if one == "normal" else colour
        ax.broken_barh(bars(start, end, word == one), (0, 0.1), facecolor=colour, edgecolor=edge, lw=0.4, label=one,
                       transform=ax.get_xaxis_transform())  # fmt: skip
    if at_s is not None:
        ax.axvline(at_s, color="#0072b2", lw=1.4, gid="here")
    ax.set_ylabel("beats/min", fontsize=8)
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, fontsize=7, frameon=False, borderaxespad=0.2)
    ax.grid(color="#e4e4e4", lw=0.6)
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=7)
    ax.spines[["top", "right"]].set_visible(False)
    time_axis(ax, float(end.max(initial=1.0)))
    return ax

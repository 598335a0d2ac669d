"""Figures with their intervals, differences, errors by record, cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ectopy.figures.eda.style import tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_ABSENT = "#8c8c8c"
_KINDS = {"missed abnormal": "#d55e00", "false abnormal": "#56b4e9"}


def forest(ax: Axes, table: pd.DataFrame, colours: Mapping[str, str]) -> Axes:
    """Draw a value in [0, 1] with its 95 % interval (columns value, low, high) for each name, the first on top."""
    places = np.arange(len(table))[::-1]
    for place, (name, row) in zip(places, table.iterrows(), strict=True):
        if np.isnan(row["value"]):
            ax.text(0.02, place, "none", fontsize=7, color=_ABSENT, va="center")
            continue
        colour = colours[str(name)]
        ax.hlines(place, row["low"], row["high"], color=colour, lw=1.8, alpha=0.6)
        ax.plot(row["value"], place, "o", ms=5, color=colour, clip_on=False, zorder=3)
        at = min(max(row["value"], 0.06), 0.94)
        ax.text(at, place + 0.17, f"{row['value']:.3f}", fontsize=6.5, va="bottom", ha="center")
    ax.set(xlim=(0, 1), ylim=(-0.6, len(table) - 0.4))
    ax.set_yticks(places, list(table.index), fontsize=8)
    return tidy(ax, "x")


def differences(ax: Axes, table: pd.DataFrame, colours: Mapping[str, str]) -> Axes:
    """Draw a difference with its 95 % interval (columns difference, low, high) for each name, beside a line at 0."""
    places = np.arange(len(table))[::-1]
    ax.axvline(0, color="#1b1b1b", lw=0.8)
    for place, (name, row) in zip(places, table.iterrows(), strict=True):
        if np.isnan(row["difference"]):
            ax.text(0, place, " none", fontsize=7, color=_ABSENT, va="center")
            continue
        ax.hlines(place, row["low"], row["high"], color=colours[str(name)], lw=1.8, alpha=0.6)
        ax.plot(row["difference"], place, "o", ms=5, color=colours[str(name)])
    ax.set_ylim(-0.6, len(table) - 0.4)
    ax.set_yticks(places, list(table.index), fontsize=8)
    return tidy(ax, "x")


def record_bars(ax: Axes, counts: pd.DataFrame) -> Axes:
    """Draw for each record (rows, the worst on top) its missed and its false abnormal beats, with their numbers."""
    places = np.arange(len(counts))[::-1]
    left = np.zeros(len(counts))
    for kind, colour in _KINDS.items():
        bars = ax.barh(places, counts[kind], left=left, color=colour, height=0.75, label=kind)
        wide = 0.03 * float(counts[list(_KINDS)].sum(axis=1).max())
        labels = [f"{n:,}" if n > wide else "" for n in counts[kind]]
        ax.bar_label(bars, labels, label_type="center", fontsize=7)
        left += counts[kind].to_numpy()
    ax.set_yticks(places, list(counts.index), fontsize=8)
    ax.set_xlabel("beats")
    ax.legend(fontsize=8, frameon=False, loc="lower right")
    return tidy(ax, "x")


def cost_points(ax: Axes, table: pd.DataFrame, colours: Mapping[str, str], within_us: float) -> Axes:
    """Draw quality (`f1`) over CPU (`us` a stream-second, logarithmic) for each name, and what the default may take."""
    ax.axvspan(table["us"].min() / 3, within_us, color="#f0f4f0", zorder=0)
    ax.axvline(within_us, color="#8c8c8c", lw=0.8, ls="--")
    ax.text(within_us / 1.06, 1.035, f"≤ {within_us:g} µs", fontsize=7, color="#6e6e6e", ha="right", va="top")
    for name, row in table.iterrows():
        marker = "o" if row["kind"] == "model" else "s"
        ax.plot(row["us"], row["f1"], marker, ms=7, color=colours[str(name)], mec="white", mew=0.6, label=name)
    ax.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.02, 0.5))
    ax.set_xscale("log")
    ax.set(xlim=(table["us"].min() / 3, table["us"].max() * 3), ylim=(-0.04, 1.04))
    ax.set(xlabel="CPU µs a second of signal (logarithmic)", ylabel="F1, 5-s intervals")
    return tidy(ax, "both")

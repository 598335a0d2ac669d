"""One set of records against another, and how much one patient weighs in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ectopy.figures.eda.style import tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_NAMED = 0.08  # share from which a patient's part has room for its name


def patient_parts(ax: Axes, counts: Mapping[str, pd.Series]) -> Axes:
    """Draw for each name (a class of a set) the shares of its patients (name to count) as a bar, largest first."""
    shades = ("#332288", "#88ccee")
    places = np.arange(len(counts))[::-1]
    for place, (_, row) in zip(places, counts.items(), strict=True):
        shares = (row[row > 0] / row.sum()).sort_values(ascending=False)
        left = 0.0
        for i, (name, share) in enumerate(shares.items()):
            ax.barh(place, 100 * share, left=100 * left, color=shades[i % 2], edgecolor="white", lw=0.4, height=0.72)
            if share >= _NAMED:
                ax.text(100 * (left + share / 2), place, f"{name}\n{share:.0%}", fontsize=7, linespacing=0.95,
                        ha="center", va="center", color="white" if i % 2 == 0 else "black",
                        parse_math=False)  # fmt: skip
            left += share
    ax.set_yticks(places, [f"{name} ({int(row.sum()):,})" for name, row in counts.items()], fontsize=8)
    ax.set(xlim=(0, 100), xlabel="share of the class's beats, a part a patient, %")
    return tidy(ax, "")


def rate_bars(ax: Axes, rates: pd.DataFrame, colours: Mapping[str, str]) -> Axes:
    """Draw how many of 1,000 beats are of each class (rows) in each set (columns)."""
    width = 0.84 / max(len(rates.columns), 1)
    for i, name in enumerate(rates.columns):
        places = np.arange(len(rates)) + (i - (len(rates.columns) - 1) / 2) * width
        bars = ax.bar(places, rates[name], width * 0.92, color=colours[name], label=name)
        ax.bar_label(bars, [f"{rate:.0f}" if rate >= 9.95 else f"{rate:.1f}" for rate in rates[name]], fontsize=7)
    ax.set_xticks(range(len(rates)), list(rates.index))
    ax.set(xlabel="AAMI class", ylabel="of 1,000 beats")
    ax.margins(y=0.15)
    ax.legend(fontsize=8, frameon=False)
    return tidy(ax)

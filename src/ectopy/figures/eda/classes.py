"""Counts of classes: by record, by set, and the weights that follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ectopy.figures.eda.style import PALETTE, set_colours, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def count_map(ax: Axes, counts: pd.DataFrame, most: int) -> Axes:
    """Draw counts, a row a record and a column a class, as numbers on a logarithmic shade up to `most`."""
    import seaborn as sns
    from matplotlib.colors import LogNorm

    sns.heatmap(
        counts,
        ax=ax,
        mask=counts.to_numpy() == 0,
        annot=True,
        fmt=",d",
        annot_kws={"fontsize": 7},
        norm=LogNorm(1, max(most, 2)),
        cmap="YlGnBu",
        cbar=False,
        linewidths=0.5,
        linecolor="#f4f4f4",
        xticklabels=True,  # all of them, also where room is scarce
        yticklabels=[str(name).replace("$", r"\$") for name in counts.index],  # as text: no formula
    )
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0, labelsize=8)
    ax.tick_params(axis="y", rotation=0)
    ax.xaxis.tick_top()
    return ax


def class_bars(ax: Axes, counts: pd.DataFrame) -> Axes:
    """Draw counts, a row a class and a column a set, as bars on a logarithmic axis with their numbers."""
    colours = set_colours(counts.columns)
    width = 0.84 / max(len(counts.columns), 1)
    for i, name in enumerate(counts.columns):
        places = np.arange(len(counts)) + (i - (len(counts.columns) - 1) / 2) * width
        bars = ax.bar(places, counts[name], width * 0.92, color=colours[name], label=name)
        ax.bar_label(bars, [f"{n:,}" for n in counts[name]], fontsize=6.5, padding=1,
                     rotation=90 if len(counts.columns) > 2 else 0)  # fmt: skip
    ax.set_xticks(range(len(counts)), list(counts.index))
    ax.set_yscale("symlog", linthresh=1)
    ax.set_ylim(0, max(float(counts.to_numpy().max()), 1) * (30 if len(counts.columns) > 2 else 4))
    ax.set(xlabel="AAMI class", ylabel="beats (logarithmic)")
    ax.legend(fontsize=8, frameon=False, ncols=2, loc="upper right")
    return tidy(ax)


def weight_bars(ax: Axes, weights: pd.DataFrame) -> Axes:
    """Draw two weights of each class (a row a class, a column a rule) as bars in the class's colour."""
    for i, rule in enumerate(weights.columns):
        places = np.arange(len(weights)) + (i - 0.5) * 0.4
        bars = ax.bar(places, weights[rule], 0.37, color=[PALETTE[aami] for aami in weights.index],
                      alpha=1.0 if i == 0 else 0.45)  # fmt: skip
        ax.bar_label(
            bars,
            [f"{w:.2f}" if w < 1 else f"{w:.1f}" if w < 10 else f"{w:,.0f}" for w in weights[rule]],
            fontsize=7,
            padding=1,
        )
    ax.axhline(1, color="#8c8c8c", lw=0.8)
    ax.set_xticks(range(len(weights)), list(weights.index))
    ax.set_yscale("log")
    ax.margins(y=0.12)
    ax.set_xlabel("AAMI class")
    ax.set_title("{} (dark) and {} (light)".format(*weights.columns), fontsize=9)
    return tidy(ax)

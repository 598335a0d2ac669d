"""Distributions: densities, cumulative shares, boxes, ranges by record, states of the signal, correlations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ectopy.figures.eda.style import STATE_COLOURS, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def densities(
    ax: Axes,
    values: Mapping[str, np.ndarray],
    colours: Mapping[str, str],
    limits: tuple[float, float],
    lines: Mapping[str, Any] | None = None,
) -> Axes:
    """Draw each set's distribution as a line of area 1; what lies outside `limits` counts but is not drawn."""
    edges = np.linspace(*limits, 41)
    for name, column in values.items():
        known = column[np.isfinite(column)]
        if len(known):
            heights = np.histogram(known, edges)[0] / (len(known) * (edges[1] - edges[0]))
            style = (lines or {}).get(name, "-")
            ax.stairs(heights, edges, color=colours[name], lw=1.4, ls=style, label=f"{name} ({len(known):,})")
    ax.set(xlim=limits, yticks=[])
    ax.set_ylabel("density")
    ax.legend(fontsize=8, frameon=False)
    return tidy(ax, "x")


def cumulative(
    ax: Axes, values: Mapping[str, np.ndarray], colours: Mapping[str, str], lines: Mapping[str, Any]
) -> Axes:
    """Draw for each set which share of it lies at or below a value."""
    import seaborn as sns

    for name, column in values.items():
        if np.isfinite(column).any():
            sns.ecdfplot(x=column[np.isfinite(column)], ax=ax, color=colours[name], ls=lines[name], lw=1.4, label=name)
    ax.set_ylabel("share at or below")
    ax.legend(fontsize=8, frameon=False)
    return tidy(ax, "both")


def boxes(ax: Axes, table: pd.DataFrame, x: str, y: str, order: Sequence[str], palette: Mapping[str, str]) -> Axes:
    """Draw the half (box) and nine tenths (whiskers) of `y` in each `x`."""
    import seaborn as sns

    present = [name for name in order if (table[x] == name).any()]
    sns.boxplot(
        table,
        x=x,
        y=y,
        hue=x,
        order=present,
        hue_order=present,
        palette={name: palette[name] for name in present},
        ax=ax,
        whis=(5, 95),
        fliersize=0,
        width=0.6,
        linewidth=1,
        fill=False,
        legend=False,
    )
    return tidy(ax)


def ranges(ax: Axes, table: pd.DataFrame, colours: Mapping[str, str]) -> Axes:
    """Draw for each record (columns group, low, middle, high) its median and range, in ascending order."""
    table = table.sort_values("middle").reset_index(drop=True)
    for name, rows in table.groupby("group", sort=False):
        ax.vlines(rows.index, rows["low"], rows["high"], color=colours[name], lw=1.2, alpha=0.6)
        ax.plot(rows.index, rows["middle"], "o", ms=3.5, color=colours[name], label=name)
    ax.set_xticks([])
    ax.set_xlim(-1, len(table))
    ax.legend(fontsize=8, frameon=False, loc="upper left")
    return tidy(ax)


def states(ax: Axes, shares: pd.DataFrame) -> Axes:
    """Draw the share of seconds that are noisy, flat or missing (columns) in each record and lead (rows)."""
    left = np.zeros(len(shares))
    places = np.arange(len(shares))[::-1]
    for state, colour in STATE_COLOURS.items():
        ax.barh(places, 100 * shares[state], left=left, color=colour, label=state, height=0.75)
        left += 100 * shares[state].to_numpy()
    ax.set_yticks(places, list(shares.index), fontsize=8, parse_math=False)
    ax.set(xlabel="share of seconds, %", xlim=(0, 1.02 * max(float(left.max()), 1)), ylim=(-0.7, len(shares) - 0.3))
    ax.legend(fontsize=8, frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return tidy(ax, "x")


def correlations(ax: Axes, matrix: pd.DataFrame) -> Axes:
    """Draw correlations from -1 to 1 with their numbers, each pair once."""
    import seaborn as sns

    part = matrix.iloc[1:, :-1]
    sns.heatmap(
        part,
        ax=ax,
        mask=np.triu(np.ones(part.shape, bool), 1),
        annot=True,
        fmt="+.2f",
        annot_kws={"fontsize": 8},
        cmap="vlag",
        vmin=-1,
        vmax=1,
        linewidths=1,
        cbar_kws={"label": "Spearman's rank correlation", "shrink": 0.8},
    )
    ax.tick_params(length=0, labelsize=9)
    ax.tick_params(axis="both", rotation=0)
    return ax

"""Confusion matrices, and errors by record and entrant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def beat_matrix(ax: Axes, counts: pd.DataFrame) -> Axes:
    """Draw counts, a row a reference class and a column a class called; the shade is the share of the row."""
    import seaborn as sns

    total = counts.sum(axis=1).replace(0, 1)
    shares = counts.div(total, axis=0)
    sns.heatmap(
        shares,
        ax=ax,
        annot=counts.map(lambda n: f"{n:,}" if n else "·").to_numpy(),
        fmt="",
        annot_kws={"fontsize": 7.5},
        cmap="Blues",
        vmin=0,
        vmax=1,
        cbar=False,
        linewidths=0.5,
        linecolor="#e4e4e4",
        xticklabels=True,
        yticklabels=True,
    )
    _labels(ax)
    ax.set(xlabel="called", ylabel="reference")
    return ax


def error_map(ax: Axes, errors: pd.DataFrame) -> Axes:
    """Draw the share of intervals judged wrongly in %, a row a record and a column an entrant."""
    import seaborn as sns

    sns.heatmap(
        errors,
        ax=ax,
        annot=errors.map(lambda share: "" if np.isnan(share) else f"{share:.1f}" if share < 10 else f"{share:.0f}"),
        fmt="",
        annot_kws={"fontsize": 7},
        cmap="OrRd",
        vmin=0,
        vmax=60,
        cbar=False,
        linewidths=0.5,
        linecolor="#f4f4f4",
        xticklabels=True,
        yticklabels=True,
    )
    _labels(ax)
    ax.xaxis.tick_top()
    ax.set(xlabel="", ylabel="")
    return ax


def _labels(ax: Axes) -> None:
    ax.tick_params(length=0, labelsize=8)
    ax.tick_params(axis="both", rotation=0)

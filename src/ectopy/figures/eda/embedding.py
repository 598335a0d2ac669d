"""Beats as points in a plane, and what a neighbour knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ectopy.figures.eda.style import PALETTE, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_APART = 0.06  # of the picture's width: names of patients nearer than this to another are left out


def by_class(ax: Axes, points: np.ndarray, aami: np.ndarray) -> Axes:
    """Draw points (n, 2) in the colour of their class, the rare classes on top."""
    for one in sorted(set(aami), key=lambda one: -int((aami == one).sum())):
        which = aami == one
        ax.scatter(
            points[which, 0],
            points[which, 1],
            s=4,
            lw=0,
            alpha=0.6,
            color=PALETTE[one],
            label=f"{one} ({which.sum():,})",
        )
    handles, labels = ax.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda i: "NSVFQ".index(labels[i][0]))
    legend = ax.legend([handles[i] for i in order], [labels[i] for i in order], fontsize=8, markerscale=3,
                       frameon=True, framealpha=0.8, edgecolor="none")  # fmt: skip
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1)
    return _framed(ax, points)


def by_patient(ax: Axes, points: np.ndarray, patient: np.ndarray, label: Callable[[str], str]) -> Axes:
    """Draw points (n, 2) in a colour a patient, with the patient's label where it has room."""
    import seaborn as sns
    from matplotlib.patheffects import withStroke

    names = sorted(set(patient))
    palette = sns.husl_palette(len(names), l=0.5, s=0.9)
    colours = palette[::2] + palette[1::2]  # so that neighbours in the list differ more
    low, high = _limits(points)
    reach = (high - low) * _APART
    taken: list[np.ndarray] = []
    for name, colour in zip(names, colours, strict=True):
        own = points[patient == name]
        ax.scatter(own[:, 0], own[:, 1], s=4, lw=0, alpha=0.6, color=colour)
        # the point nearest to half of them: inside the patient's densest cloud, where a mean may lie between clouds
        apart = np.linalg.norm(own[:, None] - own, axis=2)
        middle = own[np.median(apart, axis=1).argmin()]
        if all((np.abs(middle - other) > reach).any() for other in taken):
            taken.append(middle)
            ax.annotate(label(name), middle, (0, 7), textcoords="offset points", color=colour, fontsize=8,
                        weight="bold", ha="center", va="center", zorder=3, annotation_clip=True, parse_math=False,
                        path_effects=[withStroke(linewidth=2.2, foreground="white")])  # fmt: skip
    return _framed(ax, points)


def score_bars(ax: Axes, scores: pd.DataFrame) -> Axes:
    """Draw scores in [0, 1], a row a class and a column a way to choose neighbours, as bars with their numbers."""
    for i, (way, colour) in enumerate(zip(scores.columns, ("#bbbbbb", "#332288"), strict=True)):
        places = np.arange(len(scores)) + (i - 0.5) * 0.4
        bars = ax.bar(places, scores[way], 0.37, color=colour, label=way)
        ax.bar_label(bars, [f"{value:.2f}" for value in scores[way]], fontsize=8, padding=1)
    ax.set_xticks(range(len(scores)), list(scores.index))
    ax.set(ylim=(0, 1.12), ylabel="F1")
    ax.legend(fontsize=8, frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    return tidy(ax)


def _limits(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper corner of the picture: 98 % of the points along each axis, and some room."""
    low, high = np.percentile(points, [1, 99], axis=0)
    room = 0.1 * (high - low)
    return low - room, high + room


def _framed(ax: Axes, points: np.ndarray) -> Axes:
    (left, bottom), (right, top) = _limits(points)
    ax.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[])
    ax.spines[["top", "right"]].set_visible(False)
    return ax

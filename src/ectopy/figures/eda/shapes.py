"""Beats as they look: median and spread of a class, and strips of normal and abnormal rhythm side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ectopy.figures import paper
from ectopy.figures.eda.style import PALETTE, tidy
from ectopy.figures.strips import reference_strip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ectopy.recording import Recording

_MM = 1 / 25.4  # in inches
_LEFT, _GUTTER, _TITLE, _TICKS = 6.0, 6.0, 8.0, 5.0  # mm


@dataclass(frozen=True)
class Strip:
    """A stretch to draw: of which recording, from when, and what stands above it."""

    recording: Recording
    start_s: float
    title: str


def beat_shape(ax: Axes, time_ms: np.ndarray, shapes: np.ndarray, aami: str) -> Axes:
    """Draw the median of shapes (n, n_times), with the half and nine tenths of them that lie nearest to it."""
    low, lower, middle, upper, high = np.percentile(shapes, [5, 25, 50, 75, 95], axis=0)
    colour = PALETTE[aami]
    ax.fill_between(time_ms, low, high, color=colour, alpha=0.15, lw=0)
    ax.fill_between(time_ms, lower, upper, color=colour, alpha=0.3, lw=0)
    ax.plot(time_ms, middle, color=colour, lw=1.4)
    ax.axvline(0, color="#8c8c8c", lw=0.6, zorder=0)
    ax.set_xlim(float(time_ms[0]), float(time_ms[-1]))
    ax.text(0.97, 0.96, f"{len(shapes):,}", transform=ax.transAxes, ha="right", va="top", fontsize=7, color="#6e6e6e")
    return tidy(ax)


def strip_pairs(pairs: Sequence[tuple[Strip, Strip]], seconds: float = 5.0) -> Figure:
    """Draw pairs of strips, a row a pair, on ECG paper true to size."""
    from matplotlib.figure import Figure

    width = (seconds + paper.LEAD_IN_S) * paper.MM_PER_S
    tall = [max(paper.cut(one.recording, one.start_s, seconds).height for one in pair) for pair in pairs]
    page = 2 * width + 2 * _LEFT + _GUTTER, sum(tall) + len(pairs) * (_TITLE + _TICKS)
    figure = Figure((page[0] * _MM, page[1] * _MM))
    top = 0.0
    for pair, height in zip(pairs, tall, strict=True):
        top += _TITLE
        for column, one in enumerate(pair):
            own = paper.cut(one.recording, one.start_s, seconds).height
            left = _LEFT + column * (width + _GUTTER)
            box = (left / page[0], 1 - (top + own) / page[1], width / page[0], own / page[1])
            reference_strip(one.recording, one.start_s, seconds, figure.add_axes(box), one.title)
        top += height + _TICKS
    return figure

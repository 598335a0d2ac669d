"""Mistakes on ECG paper: the reference's letters above, the beat in question shaded, the program's word below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ectopy.figures import paper
from ectopy.figures.strips import reference_strip

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ectopy.recording import Recording

_MM = 1 / 25.4  # in inches
_SECONDS = 5.0  # of signal around a mistake
_LEFT, _GUTTER, _TITLE, _TICKS, _COLUMNS = 6.0, 8.0, 8.0, 5.0, 2  # mm; strips a row
_POINTER, _AROUND_S = "#b00020", 0.12


@dataclass(frozen=True, eq=False)
class Mistake:
    """A beat and what was made of it.

    recording : the lead that was judged, with its reference beats
    time_s : of the beat
    said : what stands below it, as `N 0.98`
    title : what stands above the strip
    """

    recording: Recording
    time_s: float
    said: str
    title: str


def gallery(mistakes: Sequence[Mistake]) -> Figure:
    """Draw each mistake with 5 s around it, two in a row, true to size."""
    from matplotlib.figure import Figure

    width = (_SECONDS + paper.LEAD_IN_S) * paper.MM_PER_S
    starts = [_start(one) for one in mistakes]
    tall = [paper.cut(m.recording, start, _SECONDS).height for m, start in zip(mistakes, starts, strict=True)]
    rows = [max(tall[i : i + _COLUMNS]) for i in range(0, len(tall), _COLUMNS)]
    page = _COLUMNS * width + 2 * _LEFT + _GUTTER, sum(rows) + len(rows) * (_TITLE + _TICKS)
    figure = Figure((page[0] * _MM, page[1] * _MM))
    for place, (one, start, height) in enumerate(zip(mistakes, starts, tall, strict=True)):
        row, column = divmod(place, _COLUMNS)
        top = sum(rows[:row]) + row * _TICKS + (row + 1) * _TITLE
        left = _LEFT + column * (width + _GUTTER)
        box = (left / page[0], 1 - (top + height) / page[1], width / page[0], height / page[1])
        ax = reference_strip(one.recording, start, _SECONDS, figure.add_axes(box), one.title)
        ax.axvspan(one.time_s - _AROUND_S, one.time_s + _AROUND_S, color=_POINTER, alpha=0.12, lw=0, gid="mistake")
        ax.text(one.time_s, 0.8, one.said, color=_POINTER, fontsize=7, weight="bold", ha="center", va="bottom",
                bbox={"facecolor": "#fffaf8", "edgecolor": "none", "alpha": 0.85, "pad": 0.4})  # fmt: skip
    return figure


def _start(one: Mistake) -> float:
    """The beat a little behind the middle, so that more of what was before it is seen."""
    last = max(one.recording.duration_s - _SECONDS, 0.0)
    return round(min(max(one.time_s - 0.6 * _SECONDS, 0.0), last), 1)

"""Full disclosure: all of a recording on few pages, a line a minute, as a Holter's printout."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ectopy.figures.words import VERDICT_COLOURS, clock
from ectopy.recording import Recording
from ectopy.verdict import Word

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINE_S = 60
_INK, _QUIET, _RULE, _HERE = "#1b1b1b", "#5c6470", "#e9e1dc", "#cfe6f5"
_DARK: dict[Word, str] = {"abnormal": VERDICT_COLOURS["abnormal"], "unreadable": "#6e6e6e"}
_COLUMNS = 1500  # of a line; each keeps its lowest and highest sample
_REACH = 0.62  # of the distance of two lines that a trace may leave its own by


def full_disclosure(
    recording: Recording,
    spans: Iterable[tuple[float, float, Word]],
    ax: Axes,
    at_s: float = 0.0,
    looked_at: tuple[float, float] | None = None,
) -> Axes:
    """Draw the first lead of a part of a recording, a line a minute, all lines at one gain.

    Abnormal stretches are drawn in another colour with a bar below; unreadable ones in grey, with a thin bar. A gap
    stays empty.

    recording : the part that is looked at
    spans : start and end in seconds, and verdict, of the intervals in it
    at_s : time of its first sample, from the start of the whole
    looked_at : start and end in seconds of what is shown in full elsewhere, framed here
    """
    fs = float(recording.fs)
    first_line = int(at_s // LINE_S)
    time = at_s + np.arange(len(recording.samples)) / fs
    values = recording.samples[:, 0].astype(float)
    lines = max(int(np.ceil((at_s + recording.duration_s) / LINE_S - 1e-9)) - first_line, 1)
    finite = values[np.isfinite(values)]
    swing = float(np.ptp(np.quantile(finite, [0.002, 0.998]))) if len(finite) else 1.0
    spans = list(spans)
    for row in range(lines):
        start = (first_line + row) * LINE_S
        here = (time >= start) & (time < start + LINE_S)
        x, y = _thinned(time[here] - start, values[here])
        middle = np.nanmedian(y) if np.isfinite(y).any() else 0.0
        y = row - np.clip((y - middle) / (swing or 1.0) * 0.8, -_REACH, _REACH)
        ax.plot(x, y, color=_INK, lw=0.5, gid="trace")
        if looked_at and looked_at[0] < start + LINE_S and looked_at[1] > start:
            left, right = max(looked_at[0] - start, 0), min(looked_at[1] - start, LINE_S)
            ax.fill_between([left, right], row - 0.45, row + 0.5, color=_HERE, lw=0, zorder=0, gid="looked at")
        for begin, end, word in spans:
            if word not in _DARK or end <= start or begin >= start + LINE_S:
                continue
            left, right = max(begin - start, 0), min(end - start, LINE_S)
            inside = (x >= left) & (x <= right)
            ax.plot(x[inside], y[inside], color=_DARK[word], lw=0.6, gid=word)
            width = 2.4 if word == "abnormal" else 0.9
            ax.hlines(row + 0.44, left, right, color=_DARK[word], lw=width, gid=f"{word} bar")
    ticks = [first_line * LINE_S + row * LINE_S for row in range(lines)]
    ax.set(xlim=(0, LINE_S), ylim=(lines - 0.35, -0.75))
    ax.set_yticks(range(lines), [clock(tick) for tick in ticks], fontsize=7, color=_QUIET)
    ax.set_xticks(range(0, LINE_S + 1, 10), [f"{s} s" for s in range(0, LINE_S + 1, 10)], fontsize=7, color=_QUIET)
    ax.grid(axis="x", color=_RULE, lw=0.6)
    ax.set_axisbelow(True)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def _thinned(time: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest of as many samples as fall into a column of the picture; NaN where one is missing."""
    step = max(len(values) // _COLUMNS, 1)
    if step < 3:
        return time, values
    n = len(values) // step
    blocks = values[: n * step].reshape(n, step)
    x = np.repeat(time[: n * step : step], 2)
    return x, np.column_stack([blocks.min(axis=1), blocks.max(axis=1)]).ravel()

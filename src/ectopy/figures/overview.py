"""A whole analysis in one picture: verdicts, alarms, heart rate and score over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ectopy.alarms import PRIORITIES, Episode, episodes
from ectopy.figures.words import PRIORITY_COLOURS, VERDICT_COLOURS, clock, headline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ectopy.analysis.result import Analysis

_TICK_STEPS_S = (1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400)


def analysis_overview(analysis: Analysis) -> Figure:
    """Draw verdicts (a band), alarms (a lane a priority), heart rate and score over the time of the recording."""
    from matplotlib.figure import Figure

    figure = Figure((10, 4.8), layout="constrained")
    band, alarms, rate, score = figure.subplots(4, sharex=True, height_ratios=(0.6, 0.9, 2, 2))
    verdicts = analysis.verdicts
    start, end, hr, height = (
        np.array([getattr(v, name) for v in verdicts], dtype=float)
        for name in ("start_s", "end_s", "heart_rate", "score")
    )
    word = np.array([v.verdict for v in verdicts], dtype="U10")
    middle = (start + end) / 2
    dot, line = (4, 0.8) if len(verdicts) < 1000 else (1.5, 0.4)  # 24 hours have 17,280 intervals

    _draw_band(band, start, end, word)
    title = f"{analysis.recording.name or 'Recording'}   {headline(analysis.summary)}"
    band.set_title(title, loc="left", fontsize=10, pad=20, parse_math=False)  # above the legend
    _draw_alarms(alarms, episodes(analysis.findings, analysis.recording.duration_s))
    rate.plot(middle, hr, color="#1b1b1b", lw=line, marker=".", ms=dot / 2)
    rate.set_ylabel("heart rate\n(beats/min)")
    for one in ("normal", "abnormal"):
        which = word == one
        score.plot(middle[which], height[which], ".", ms=dot, color=_dark(one), label=one)
    score.set(ylabel="score", ylim=(-0.04, 1.04), xlabel="time since the start")
    for ax in (rate, score):
        ax.grid(color="#e4e4e4", lw=0.6)
        ax.set_axisbelow(True)
        ax.spines[["top", "right"]].set_visible(False)
        ax.broken_barh(bars(start, end, word == "unreadable"), (0, 1), color="#ececec", lw=0, zorder=0,
                       transform=ax.get_xaxis_transform())  # fmt: skip
    time_axis(score, float(end.max(initial=1.0)))
    return figure


def _draw_band(ax: Axes, start: np.ndarray, end: np.ndarray, word: np.ndarray) -> None:
    # Abnormal is drawn over normal, with an edge of 0.5 pt: of 24 hours, 5 s would be thinner than a pixel.
    for one, colour in VERDICT_COLOURS.items():
        spans = bars(start, end, word == one)
        edge = "none" if one == "normal" else colour
        ax.broken_barh(spans, (0, 1), facecolor=colour, edgecolor=edge, lw=0.5, label=one)
    ax.set(ylim=(0, 1), yticks=[])
    ax.set_ylabel("verdict", rotation=0, ha="right", va="center")
    ax.spines[:].set_visible(False)
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, fontsize=8, frameon=False, borderaxespad=0.2)


def _draw_alarms(ax: Axes, found: list[Episode]) -> None:
    for lane, priority in enumerate(PRIORITIES):
        spans = [(one.start_s, one.end_s - one.start_s) for one in found if one.priority == priority]
        colour = PRIORITY_COLOURS[priority]
        ax.broken_barh(spans, (lane + 0.15, 0.7), facecolor=colour, edgecolor=colour, lw=0.5)
    ax.set(ylim=(len(PRIORITIES), 0), yticks=[lane + 0.5 for lane in range(len(PRIORITIES))])
    ax.set_yticklabels([f"{priority} alarm" for priority in PRIORITIES], fontsize=8)
    ax.tick_params(left=False, bottom=False)
    ax.spines[:].set_visible(False)


def bars(start: np.ndarray, end: np.ndarray, which: np.ndarray) -> list[tuple[float, float]]:
    """Start and length of those intervals."""
    return list(zip(start[which], (end - start)[which], strict=True))


def _dark(word: str) -> str:
    return "#5b93b3" if word == "normal" else VERDICT_COLOURS["abnormal"]


def time_axis(ax: Axes, end_s: float) -> None:
    """At most a dozen ticks, in minutes and seconds."""
    step = next((step for step in _TICK_STEPS_S if end_s / step <= 12), _TICK_STEPS_S[-1])
    ticks = np.arange(0, end_s + 1, step)
    ax.set_xticks(ticks, [clock(t) for t in ticks])
    ax.set_xlim(0, end_s)

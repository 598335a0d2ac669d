"""ECG paper: 25 mm/s and 10 mm/mV, true to size when a figure is printed at its own size.

On the paper x is time in seconds and y is millimetres. Leads are stacked, each in a band of its own height.
A tall signal gets taller paper first, then half the gain, as on a recorder; the calibration pulse shows it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ectopy.figures.words import clock
from ectopy.recording import Recording

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MM_PER_S = 25
MM_PER_MV = 10
LEAD_IN_S = 0.4  # two large squares before the trace, for the calibration pulse
MARK_ROW_MM = 5  # above the bands, for the letters of the beats
_LOWEST_MM, _HIGHEST_MM, _MARGIN_MM = 20, 40, 2
_PAPER, _FINE, _COARSE, _INK, _GAP = "#fffaf8", "#f6dcd7", "#e6b1a8", "#1b1b1b", "#8c8c8c"


@dataclass(frozen=True)
class Band:
    """The place of one lead on the paper.

    middle : the value drawn at half the height
    gain : mm for 1 mV; for one unit, whatever it is, where not calibrated
    height : mm
    calibrated : False: the gain was chosen to fit, and no scale is drawn
    """

    lead: str
    middle: float
    gain: float
    height: float
    calibrated: bool

    @property
    def reach(self) -> float:
        """mm from the middle beyond which the trace is cut."""
        return self.height / 2 - _MARGIN_MM / 2


@dataclass(frozen=True)
class Piece:
    """What is drawn: samples (n, n_leads) at times (n,) in s, on paper of `seconds` from `start_s`."""

    start_s: float
    seconds: float
    time: np.ndarray
    samples: np.ndarray
    bands: tuple[Band, ...]

    @property
    def height(self) -> float:
        """mm of paper."""
        return MARK_ROW_MM + sum(band.height for band in self.bands)


def cut(recording: Recording, start_s: float, seconds: float, end_s: float | None = None) -> Piece:
    """The samples from `start_s` on, at most up to `end_s`, with a band fitted to each lead."""
    end = min(start_s + seconds, math.inf if end_s is None else end_s)
    first = min(max(math.ceil(start_s * recording.fs), 0), len(recording.samples))
    last = min(max(math.ceil(end * recording.fs), first), len(recording.samples))
    samples = np.asarray(recording.samples[first:last], dtype=float)
    time = np.arange(first, last) / float(recording.fs)
    bands = (_fit(lead, samples[:, i], recording.calibrated) for i, lead in enumerate(recording.leads))
    return Piece(start_s, seconds, time, samples, tuple(bands))


def draw(ax: Axes, piece: Piece) -> None:
    """Draw the paper, and on it the trace of each lead with its gaps marked."""
    left, right = piece.start_s - LEAD_IN_S, piece.start_s + piece.seconds
    ax.set(xlim=(left, right), ylim=(0, piece.height), facecolor=_PAPER)
    ax.set_aspect(1 / MM_PER_S)
    _grid(ax, left, right, piece.height)
    top = piece.height - MARK_ROW_MM
    for band, values in zip(piece.bands, piece.samples.T, strict=True):
        middle = top - band.height / 2
        _trace(ax, piece.time, values, band, middle)
        _label(ax, left, band, middle)
        if band.calibrated:
            pulse = np.array([0, 0, 1, 1, 0, 0]) - 0.5
            edges = left + np.array([1, 2.5, 2.5, 7.5, 7.5, 9]) / MM_PER_S
            ax.plot(edges, middle + pulse * band.gain, color=_INK, lw=0.8, gid="calibration pulse")
        top -= band.height
    first, last = math.ceil(piece.start_s), math.floor(right)
    ax.set_xticks(range(first, last + 1), [clock(t) for t in range(first, last + 1)], fontsize=6)
    if last == right:
        ax.get_xticklabels()[-1].set_horizontalalignment("right")  # within the picture
    ax.tick_params(length=2, color=_COARSE)
    ax.set_yticks([])
    ax.spines[:].set_color(_COARSE)


def trace_height(piece: Piece, time_s: np.ndarray) -> np.ndarray:
    """(n,) mm: where the first lead's trace lies at these times; NaN in a gap."""
    band = piece.bands[0]
    values = np.interp(time_s, piece.time, piece.samples[:, 0])
    return _on_paper(values, band, piece.height - MARK_ROW_MM - band.height / 2)


def scale_note(piece: Piece) -> str:
    """The scales, as printed beside a strip."""
    gains = sorted({band.gain for band in piece.bands if band.calibrated}, reverse=True)
    if not gains:
        return f"{MM_PER_S} mm/s, amplitude not calibrated"
    return f"{MM_PER_S} mm/s, {' and '.join(f'{gain:g}' for gain in gains)} mm/mV"


def _fit(lead: str, values: np.ndarray, calibrated: bool) -> Band:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
    if len(finite):
        # A spike is no reason to flatten all else: QRS complexes fill far more than 1 % of the time.
        inner_low, inner_high = np.quantile(finite, [0.005, 0.995])
        if high - low > 5 * (inner_high - inner_low) > 0:
            low, high = float(inner_low), float(inner_high)
    span, room = high - low, _HIGHEST_MM - 2 * _MARGIN_MM
    if not calibrated:
        return Band(lead, (low + high) / 2, (_LOWEST_MM - 2 * _MARGIN_MM) / span if span else 1, _LOWEST_MM, False)
    halvings = max(0, math.ceil(math.log2(span * MM_PER_MV / room))) if span else 0
    gain = MM_PER_MV / 2**halvings
    height = max(_LOWEST_MM, 5 * math.ceil((span * gain + 2 * _MARGIN_MM) / 5))
    return Band(lead, (low + high) / 2, gain, height, True)


def _on_paper(values: np.ndarray, band: Band, middle: float) -> np.ndarray:
    return middle + np.clip((values - band.middle) * band.gain, -band.reach, band.reach)


def _grid(ax: Axes, left: float, right: float, height: float) -> None:
    for step, colour, width in ((1, _FINE, 0.3), (5, _COARSE, 0.5)):
        columns = np.arange(0, (right - left) * MM_PER_S + 0.5, step)
        ax.vlines(left + columns / MM_PER_S, 0, height, color=colour, lw=width, zorder=0)
        ax.hlines(np.arange(0, height + 0.5, step), left, right, color=colour, lw=width, zorder=0)


def _trace(ax: Axes, time: np.ndarray, values: np.ndarray, band: Band, middle: float) -> None:
    good = np.isfinite(values)
    heights = np.where(good, _on_paper(np.where(good, values, 0), band, middle), np.nan)
    ax.plot(time, heights, color=_INK, lw=0.8, solid_joinstyle="round", gid=f"trace {band.lead}")
    if np.any(np.abs(values[good] - band.middle) * band.gain > band.reach):
        right = ax.get_xlim()[1] - 1 / MM_PER_S
        top = middle + band.height / 2 - 1
        ax.text(right, top, "cut at the edge", fontsize=5.5, style="italic", ha="right", va="top", color=_GAP)
    edges = np.flatnonzero(np.diff(np.concatenate(([True], good, [True])).astype(int))).reshape(-1, 2)
    bottom = middle - band.height / 2
    for first, end in edges:  # samples [first, end) are missing
        begin = time[first]
        width = time[end - 1] - begin + 1 / MM_PER_S / 10
        ax.broken_barh([(begin, width)], (bottom, band.height), facecolor="white", edgecolor=_GAP, lw=0.4,
                       hatch="////", alpha=0.7, gid=f"gap {band.lead}")  # fmt: skip
        if width * MM_PER_S > 10:
            ax.text(begin + width / 2, middle, "no signal", fontsize=6.5, ha="center", va="center",
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})  # fmt: skip


def _label(ax: Axes, left: float, band: Band, middle: float) -> None:
    text = band.lead if band.gain == MM_PER_MV or not band.calibrated else f"{band.lead}  {band.gain:g} mm/mV"
    ax.text(left + 0.6 / MM_PER_S, middle + band.height / 2 - 0.6, text, fontsize=6.5, va="top", color=_INK,
            parse_math=False, bbox={"facecolor": _PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 0.6})  # fmt: skip

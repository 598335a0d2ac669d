"""Strips on ECG paper: one interval, a stretch of a recording, the worst intervals of an analysis."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ectopy.errors import SignalError
from ectopy.figures import paper
from ectopy.figures.words import CLASS_COLOURS, CLASS_NAMES, DISCLAIMER, clock
from ectopy.recording import AAMI_CLASSES, AAMI_OF_SYMBOL, AamiClass, Recording
from ectopy.verdict import INTERVAL_S, Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ectopy.analysis.result import Analysis

_MM = 1 / 25.4  # in inches
_LONGEST_S = 120.0
_QRS_S = (-0.08, 0.14)  # what of the trace around R takes the colour of its class
_COLUMNS, _LEADS = 2, 3  # of `worst_intervals`
_LEFT, _GUTTER, _TITLE, _TICKS, _HEADER = 8.0, 8.0, 9.0, 5.0, 17.0  # its margins in mm


def strip(recording: Recording, verdict: Verdict, ax: Axes) -> Axes:
    """Draw one interval on ECG paper: 25 mm/s, 10 mm/mV, beats coloured by AAMI class.

    All leads are stacked; beats are coloured on the first. The reason is the title. A gap is hatched.
    Not calibrated: no pulse, the trace scaled to fit.
    """
    length = max(INTERVAL_S, verdict.end_s - verdict.start_s)
    return _draw_verdict(ax, paper.cut(recording, verdict.start_s, length, verdict.end_s), verdict)


def recording_strip(recording: Recording, start_s: float = 0.0, seconds: float = 10.0) -> Axes:
    """Draw a stretch of a recording on a figure of its own, true to size, with its reference beats.

    Raises
    ------
    SignalError
        If the stretch lies outside the recording or is longer than 120 s (3 m of paper).
    """
    if not 0 < seconds <= _LONGEST_S:
        raise SignalError(f"seconds={seconds:g}: expected more than 0 and at most {_LONGEST_S:g} on one strip")
    if not 0 <= start_s < recording.duration_s:
        raise SignalError(f"start_s={start_s:g} lies outside the recording of {recording.duration_s:g} s")
    piece = paper.cut(recording, start_s, seconds)
    width, height = (seconds + paper.LEAD_IN_S) * paper.MM_PER_S, piece.height
    figure = _figure(width + 2 * _LEFT, height + _TITLE + _TICKS + 2)
    ax = _axes(figure, _LEFT, _TITLE, width, height)
    title = f"{recording.name}   {clock(start_s)}"
    if recording.annotations is not None and len(recording.annotations.beats):
        title += "   letters: reference annotations"
    return reference_strip(recording, start_s, seconds, ax, title)


def reference_strip(recording: Recording, start_s: float, seconds: float, ax: Axes, title: str) -> Axes:
    """Draw a stretch of a recording on ECG paper, with its reference beats where it has annotations."""
    piece = paper.cut(recording, start_s, seconds)
    paper.draw(ax, piece)
    if recording.annotations is not None:
        marks = recording.annotations.beats
        times = (marks.sample / float(recording.fs)).tolist()
        colours = [CLASS_COLOURS[AAMI_OF_SYMBOL[symbol]] for symbol in marks.symbol]
        _mark(ax, piece, zip(times, marks.symbol.tolist(), colours, strict=True))
    _title(ax, piece, title)
    return ax


def labelled_strip(
    recording: Recording, beats: Iterable[tuple[float, str, AamiClass | None]], ax: Axes, title: str, at_s: float = 0.0
) -> Axes:
    """Draw a stretch on ECG paper, with a letter above each beat.

    recording : the stretch alone, whose first sample lies `at_s` seconds after the start of the whole
    beats : time in seconds from the start of the whole, letter, class that colours it
    """
    piece = paper.cut(recording, 0.0, math.ceil(recording.duration_s))
    piece = replace(piece, start_s=at_s, time=piece.time + at_s)
    paper.draw(ax, piece)
    _mark(ax, piece, ((time_s, letter, CLASS_COLOURS[aami]) for time_s, letter, aami in beats))
    _title(ax, piece, title)
    return ax


def strip_figure(recording: Recording) -> tuple[Figure, Axes]:
    """An empty figure, true to size, for the `labelled_strip` of a stretch."""
    seconds = math.ceil(recording.duration_s)
    width, height = (seconds + paper.LEAD_IN_S) * paper.MM_PER_S, paper.cut(recording, 0.0, seconds).height
    figure = _figure(width + 4, height + _TITLE + _TICKS)
    return figure, _axes(figure, 2, _TITLE, width, height)


def worst(verdicts: Sequence[Verdict], n: int = 10) -> list[Verdict]:
    """The n worst intervals, worst first.

    Abnormal ones come first: by score (an abnormal finding counts as 1), then by the number of abnormal
    beats, then by time. After them the unreadable ones, by time. Normal ones are never among them.
    """
    rank = {"abnormal": 0, "unreadable": 1}

    def key(verdict: Verdict) -> tuple[int, float, int, float]:
        found = any(finding.abnormal for finding in verdict.findings)
        score = 1.0 if found else verdict.score or 0.0
        return rank[verdict.verdict], -score, -verdict.n_abnormal, verdict.start_s

    return sorted((v for v in verdicts if v.verdict in rank), key=key)[:n]


def worst_intervals(analysis: Analysis, n: int = 10) -> Figure:
    """Draw the n worst intervals (see `worst`) in the order of rank, row by row, true to size.

    Of a recording with more than three leads the first three are drawn.
    """
    recording = analysis.recording.select(analysis.recording.leads[:_LEADS])
    verdicts = worst(analysis.verdicts, n)
    pieces = [paper.cut(recording, v.start_s, INTERVAL_S, v.end_s) for v in verdicts]
    rows = [pieces[i : i + _COLUMNS] for i in range(0, len(pieces), _COLUMNS)]
    width = (INTERVAL_S + paper.LEAD_IN_S) * paper.MM_PER_S
    heights = [_TITLE + max(piece.height for piece in row) + _TICKS for row in rows]
    page = _LEFT + _COLUMNS * (width + _GUTTER), _HEADER + (sum(heights) or 2 * _TITLE) + 2
    figure = _figure(*page)
    _header(figure, page, analysis, len(verdicts))
    for i, (verdict, piece) in enumerate(zip(verdicts, pieces, strict=True)):
        row, column = divmod(i, _COLUMNS)
        top = _HEADER + sum(heights[:row]) + _TITLE
        ax = _axes(figure, _LEFT + column * (width + _GUTTER), top, width, piece.height)
        _draw_verdict(ax, piece, verdict)
    return figure


def _draw_verdict(ax: Axes, piece: paper.Piece, verdict: Verdict) -> Axes:
    paper.draw(ax, piece)
    _mark(ax, piece, ((beat.time_s, beat.aami or "•", CLASS_COLOURS[beat.aami]) for beat in verdict.beats))
    score = "" if verdict.score is None else f" {verdict.score:.2f}"
    _title(ax, piece, f"{clock(verdict.start_s)}  {verdict.verdict}{score}: {verdict.reason}")
    return ax


def _mark(ax: Axes, piece: paper.Piece, beats: Iterable[tuple[float, str, str]]) -> None:
    """Write each beat's letter (time in s, letter, colour) above it, colour its complex on the first lead."""
    row = piece.height - paper.MARK_ROW_MM / 2
    for time, letter, colour in beats:
        if not piece.start_s <= time < piece.start_s + piece.seconds:
            continue
        ax.text(time, row, letter, color=colour, fontsize=8, weight="bold", ha="center", va="center", gid="beat")
        ax.vlines(time, row - 2.5, row - 1.5, color=colour, lw=0.8)
        if colour == CLASS_COLOURS["N"]:
            continue
        near = (piece.time >= time + _QRS_S[0]) & (piece.time <= time + _QRS_S[1])
        ax.plot(piece.time[near], paper.trace_height(piece, piece.time[near]), color=colour, lw=1.6, gid="complex")


def _title(ax: Axes, piece: paper.Piece, text: str) -> None:
    scale, size, scale_size = paper.scale_note(piece), 7.0, 5.5
    room = (piece.seconds + paper.LEAD_IN_S) * paper.MM_PER_S - _width_mm(scale, scale_size)
    for columns in range(max(int(room), 1), 0, -1):  # few characters are as narrow as 1 mm
        title = textwrap.fill(text, columns, max_lines=2, placeholder=" …")
        if all(_width_mm(line, size) <= room for line in title.splitlines()):
            break
    ax.set_title(title, fontsize=size, loc="left", pad=2, parse_math=False)  # names may have $ in them
    ax.set_title(scale, fontsize=scale_size, loc="right", pad=2, color=CLASS_COLOURS["Q"])


def _width_mm(text: str, size: float) -> float:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=size), ismath=False)
    return 1.1 * float(width) / 72 * 25.4  # hinting widens small letters by up to a tenth


def _header(figure: Figure, page: tuple[float, float], analysis: Analysis, n: int) -> None:
    def write(mm: float, text: str, size: float, left: float = _LEFT, weight: str = "bold", color: str = "k") -> None:
        figure.text(left / page[0], 1 - mm / page[1], text, fontsize=size, va="top", weight=weight, color=color,
                    parse_math=False)  # fmt: skip

    recording = analysis.recording
    what = f"the {n} worst intervals" if n else "no abnormal or unreadable interval"
    if len(recording.leads) > _LEADS:
        what += f" (leads {', '.join(recording.leads[:_LEADS])} of {len(recording.leads)})"
    write(3, f"{recording.name or 'Recording'}: {what}", 11)
    write(9, "   ".join((f"model {analysis.model}", *analysis.notes, DISCLAIMER)), 7, weight="normal")
    left = _LEFT
    for aami in AAMI_CLASSES:
        name = f"{aami}  {CLASS_NAMES[aami]}"
        write(13, name, 7, left, color=CLASS_COLOURS[aami])
        left += 1.6 * len(name) + 6


def _figure(width_mm: float, height_mm: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure((width_mm * _MM, height_mm * _MM))


def _axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes of this size in mm, placed from the figure's top left corner."""
    page_width, page_height = np.array(figure.get_size_inches()) / _MM
    box = (left / page_width, 1 - (top + height) / page_height, width / page_width, height / page_height)
    return figure.add_axes(box)

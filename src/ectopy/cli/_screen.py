"""What `ectopy watch` shows in a terminal: the trace of the last seconds, and under it how things stand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from rich.console import Console, ConsoleOptions, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ectopy.cli._lines import AlarmTold
from ectopy.figures import braille, clock
from ectopy.recording import Recording
from ectopy.reports import PRIORITY_STYLES, VERDICT_STYLES
from ectopy.verdict import Verdict

CLASS_STYLES = {
    "N": "green",
    "S": "bold bright_cyan",
    "V": "bold bright_red",
    "F": "bold magenta",
    "Q": "dim",
}
_COLUMNS_PER_S = 8
_ROWS = 8
_QRS_S = (-0.05, 0.12)  # what of the trace around R takes the colour of its class


def heading() -> Table:
    """What the columns of `line` are."""
    row = _columns()
    row.add_row("from", "verdict", "score", "rate", "why", style="dim")
    return row


def line(verdict: Verdict) -> Table:
    """A verdict in one line, or in more where its reason needs them."""
    row = _columns()
    score = "" if verdict.score is None else f"{verdict.score:.2f}"
    rate = "" if verdict.heart_rate is None else f"{verdict.heart_rate:.0f}/min"
    word = Text(verdict.verdict, style=VERDICT_STYLES[verdict.verdict])
    row.add_row(clock(verdict.start_s), word, score, rate, Text(verdict.reason))
    return row


def alarm_line(alarm: AlarmTold) -> Table:
    """An alarm that is raised, or over, below the columns of `line`."""
    row = _columns()
    when, what, why = alarm.words
    over = alarm.presence != "on"
    word = Text(what, style="dim" if over else PRIORITY_STYLES[alarm.priority])
    row.add_row(when.partition("-")[0], word, "", "", Text(why, style="dim" if over else "bold"))
    return row


def _columns() -> Table:
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column(width=7, justify="right", no_wrap=True)
    row.add_column(width=10, no_wrap=True)
    row.add_column(width=5, justify="right", no_wrap=True)
    row.add_column(width=7, justify="right", no_wrap=True)
    row.add_column()
    return row


class Screen:
    """The recording up to `now`, a sample index, with the verdicts given so far."""

    def __init__(self, recording: Recording, speed: str) -> None:
        self._recording = recording
        self._trace = recording.samples[:, 0]
        self._speed = speed
        self.now = 0
        self.verdicts: Sequence[Verdict] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        # Two columns stay free: a terminal writes ^C at the end of the last line, and must not wrap there.
        width = max(options.max_width - 6, 20)
        body = Text("\n", no_wrap=True, end="").join(self._lines(width))
        recording = self._recording
        title = Text(f"{recording.name}  {recording.leads[0]}  {self._speed}")
        at = f"{clock(int(self.now / recording.fs))} of {clock(int(recording.duration_s))}"
        panel = Panel(body, title=title, subtitle=f"{at}   Ctrl-C ends", width=width + 4)
        panel.title_align, panel.subtitle_align = "left", "right"
        yield panel

    def _lines(self, width: int) -> list[Text]:
        values, left_s = self._window(width)
        trace = [Text(text) for text in braille(values, width, _ROWS)]
        letters = [" "] * width
        styles: list[tuple[str, int, int]] = []
        bar = Text("━" * width, style="bright_black")
        for verdict in self.verdicts[-math.ceil(width / _COLUMNS_PER_S) - 2 :]:  # at most one a second
            edges = (_column(t - left_s, width) for t in (verdict.start_s, verdict.end_s))
            bar.stylize(VERDICT_STYLES[verdict.verdict], *edges)
            for beat in verdict.beats:
                column = math.floor((beat.time_s - left_s) * _COLUMNS_PER_S)
                if 0 <= column < width:
                    letters[column] = beat.aami or "•"
                    first, end = (_column(beat.time_s + t - left_s, width) for t in _QRS_S)
                    styles.append((CLASS_STYLES.get(beat.aami or "", ""), first, max(end, first + 1)))
        marks = Text("".join(letters))
        for text in (marks, *trace):
            for style in styles:
                text.stylize(*style)
        return [marks, *trace, bar, _ticks(left_s, width), self._status()]

    def _window(self, width: int) -> tuple[np.ndarray, float]:
        """The newest samples that fit, NaN where none has come yet, and the time in s of the first."""
        fs = float(self._recording.fs)
        # The window moves by whole columns of dots, two to a character, so that the trace does not shimmer.
        per_dot = fs / (2 * _COLUMNS_PER_S)
        last_dot = max(math.floor(self.now / per_dot), 2 * width)
        first, end = round((last_dot - 2 * width) * per_dot), round(last_dot * per_dot)
        values = np.full(end - first, np.nan)
        known = self._trace[first : min(self.now, end)]
        values[: len(known)] = known
        return values, first / fs

    def _status(self) -> Text:
        if not self.verdicts:
            return Text("listening; a verdict comes 7 s after its interval began", style="dim")
        last = self.verdicts[-1]
        rate = "--" if last.heart_rate is None else f"{last.heart_rate:.0f}"
        filled = round(last.quality * 10)
        return Text.assemble(
            ("♥ ", "red"),
            (f"{rate}/min", "bold"),
            ("   quality ", "dim"),
            ("▮" * filled + "▯" * (10 - filled), "green" if last.quality >= 0.5 else "yellow"),
            f" {last.quality:.2f}   ",
            (last.verdict, VERDICT_STYLES[last.verdict]),
            (f"   {last.model}", "dim"),
        )


def _ticks(left_s: float, width: int) -> Text:
    """A time every 5 s."""
    line = [" "] * width
    for second in range(5 * math.ceil(left_s / 5), math.ceil(left_s + width / _COLUMNS_PER_S), 5):
        column, label = _column(second - left_s, width), f"╵{clock(second)}"
        if column + len(label) <= width:
            line[column : column + len(label)] = label
    return Text("".join(line), style="dim")


def _column(seconds: float, width: int) -> int:
    return min(max(round(seconds * _COLUMNS_PER_S), 0), width)

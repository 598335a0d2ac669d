"""An analysis in the terminal."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from ectopy.figures import clock, facts
from ectopy.reports.alarms import alarms_of, most_urgent
from ectopy.reports.stretches import Stretch, stretches

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ectopy.analysis.result import Analysis

_MOST = 40
VERDICT_STYLES = {"normal": "green", "abnormal": "bold red", "unreadable": "yellow"}
PRIORITY_STYLES = {"high": "bold white on red", "medium": "black on yellow", "low": "cyan"}


def show(analysis: Analysis, console: Console | None = None) -> None:
    """Print the summary, the alarms that a service would have raised (of more than 40, the 40 most urgent), and the
    abnormal and unreadable stretches (the 40 longest)."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = console or Console()
    table = Table.grid(padding=(0, 2))
    for name, value in (facts(analysis.summary) | {"model": analysis.model}).items():
        table.add_row(Text(name, style="dim"), Text(value))
    console.print(Text(analysis.recording.name or "recording", style="bold"), table, sep="\n")
    _show_alarms(analysis, console)

    found = stretches(analysis.verdicts)
    if not found:
        console.print("\nNo abnormal or unreadable stretch.")
        return
    listed = sorted(heapq.nlargest(_MOST, found, key=_length), key=lambda stretch: stretch.start_s)
    table = _table()
    table.add_column("verdict", no_wrap=True)
    table.add_column("beats")
    table.add_column("why, in its worst 5 s")
    for stretch in listed:
        worst = stretch.worst
        table.add_row(
            clock(stretch.start_s),
            clock(stretch.end_s),
            Text(worst.verdict, style=VERDICT_STYLES[worst.verdict]),
            stretch.abnormal_beats,
            Text(worst.reason),
        )
    console.print("", table, sep="\n")
    if len(listed) < len(found):
        console.print(
            f"The {len(listed)} longest of {len(found):,} stretches; "
            "with '--out DIR' NAME.intervals.csv has every interval."
        )


def _show_alarms(analysis: Analysis, console: Console) -> None:
    from rich.text import Text

    found = alarms_of(analysis)
    if not found:
        console.print("\nNo alarm.")
        return
    listed = most_urgent(found, _MOST)
    table = _table()
    table.add_column("told", justify="right", no_wrap=True)
    table.add_column("priority", no_wrap=True)
    table.add_column("alarm", no_wrap=True)
    table.add_column("why")
    for episode in listed:
        times = (clock(int(time_s)) for time_s in (episode.start_s, episode.end_s, episode.told_s))
        priority = Text(episode.priority, style=PRIORITY_STYLES[episode.priority])
        table.add_row(*times, priority, episode.code, Text(episode.reason))
    console.print("", table, sep="\n")
    if len(listed) < len(found):
        console.print(
            f"The {len(listed)} most urgent of {len(found):,} alarms; with '--out DIR' NAME.episodes.csv has them all."
        )


def _table() -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("from", "to"):
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _length(stretch: Stretch) -> float:
    return stretch.end_s - stretch.start_s

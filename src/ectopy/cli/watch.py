"""`ectopy watch`: replay a recording and judge it while it comes in."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from ectopy.cli._common import Leads, Model, OperatingPoint, Speed, remark, remark_unit
from ectopy.cli._lines import Tally, print_line
from ectopy.cli.data import DataDir

if TYPE_CHECKING:
    from ectopy.analysis import StreamAnalyzer
    from ectopy.recording import Recording
    from ectopy.verdict import Verdict

_PICTURES_PER_S = 12

# Told where the replay is (a sample index) and which verdicts came just now.
Tell = Callable[[int, "list[Verdict]"], None]


def watch(
    record: Annotated[str, typer.Argument(help="'demo', a record as mitdb/100, or a file.")] = "demo",
    speed: Speed = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a verdict.")] = False,
    model: Model = None,
    operating_point: OperatingPoint = "balanced",
    lead: Leads = None,
    data_dir: DataDir = None,
) -> None:
    """Replay a recording: the trace, and a verdict every 5 seconds.

    In a terminal it draws; elsewhere it prints a line a verdict.
    """
    from ectopy.data import read

    recording = read(record, leads=lead, data_dir=data_dir)

    from ectopy.analysis import StreamAnalyzer, check_recording  # after what may be wrong: this takes two seconds
    from ectopy.verdict import DEFAULT_MODEL

    check_recording(recording)
    stream = StreamAnalyzer(
        recording.fs, recording.leads, model=model or DEFAULT_MODEL, operating_point=operating_point
    )
    remark(record)
    remark_unit(recording.calibrated)
    if as_json:
        verdicts = _replay(recording, stream, speed, _print_json)
    elif sys.stdout.isatty():
        with _screen(recording, speed) as tell:
            verdicts = _replay(recording, stream, speed, tell)
    else:
        verdicts = _replay(recording, stream, speed, _print_lines)
    tally = Tally()
    for verdict in verdicts:
        tally.add(verdict)
    typer.echo(tally, err=as_json)


def _replay(recording: Recording, stream: StreamAnalyzer, speed: float, tell: Tell) -> list[Verdict]:
    """Push the recording in small chunks at the pace asked for."""
    step = max(1, round(min(1.0, speed / _PICTURES_PER_S) * recording.fs))  # at most a second
    verdicts: list[Verdict] = []
    began = time.monotonic()
    for first in range(0, len(recording.samples), step):
        chunk = recording.samples[first : first + step]
        new = stream.push(chunk)
        verdicts += new
        tell(first + len(chunk), new)
        due = began + (first + len(chunk)) / float(recording.fs) / speed
        time.sleep(max(0.0, due - time.monotonic()))
    last = stream.finish()
    tell(len(recording.samples), last)
    return verdicts + last


def _print_json(_: int, verdicts: list[Verdict]) -> None:
    for verdict in verdicts:
        print(json.dumps(verdict.to_dict(), allow_nan=False), flush=True)


def _print_lines(_: int, verdicts: list[Verdict]) -> None:
    for verdict in verdicts:
        print_line(verdict)


@contextmanager
def _screen(recording: Recording, speed: float) -> Iterator[Tell]:
    """A live picture at the bottom of the terminal; the verdicts scroll away above it."""
    from rich.console import Console
    from rich.live import Live

    from ectopy.cli._screen import Screen, heading, line

    screen = Screen(recording, "as fast as it goes" if math.isinf(speed) else f"{speed:g}x")
    given: list[Verdict] = []
    screen.verdicts = given
    drawn = -math.inf
    with Live(screen, console=Console(), auto_refresh=False, vertical_overflow="crop") as live:
        live.console.print(heading())

        def tell(now: int, verdicts: list[Verdict]) -> None:
            nonlocal drawn
            given.extend(verdicts)
            screen.now = now
            for verdict in verdicts:
                live.console.print(line(verdict))
            # half a period, so that a picture that is due a little early is not left out
            if time.monotonic() - drawn >= 0.5 / _PICTURES_PER_S:
                live.refresh()
                drawn = time.monotonic()

        yield tell

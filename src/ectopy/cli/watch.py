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
from ectopy.cli._lines import AlarmNews, AlarmTold, Tally, print_alarm, print_line
from ectopy.cli.data import DataDir

if TYPE_CHECKING:
    from ectopy.alarms import Alarm
    from ectopy.analysis import StreamAnalyzer
    from ectopy.recording import Recording
    from ectopy.verdict import Verdict

_PICTURES_PER_S = 12

# Told where the replay is (a sample index), which verdicts came just now, and which alarms changed.
Tell = Callable[[int, "list[Verdict]", list[AlarmTold]], None]


def watch(
    record: Annotated[str, typer.Argument(help="'demo', a record as mitdb/100, or a file.")] = "demo",
    speed: Speed = 1.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a verdict, or change of an alarm.")
    ] = False,
    model: Model = None,
    operating_point: OperatingPoint = "balanced",
    lead: Leads = None,
    data_dir: DataDir = None,
) -> None:
    """Replay a recording: the trace, a verdict every 5 seconds, and the alarms.

    In a terminal with Unicode it draws; elsewhere it prints a line a verdict, and one when an alarm is raised or over.
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
    tally = Tally()
    if as_json:
        _replay(recording, stream, speed, _print_json, tally)
    elif sys.stdout.isatty() and sys.stdout.encoding.lower().startswith("utf"):  # a trace of Braille characters
        with _screen(recording, speed) as tell:
            _replay(recording, stream, speed, tell, tally)
    else:
        _replay(recording, stream, speed, _print_lines(), tally)
    typer.echo(tally, err=as_json)


def _replay(recording: Recording, stream: StreamAnalyzer, speed: float, tell: Tell, tally: Tally) -> None:
    """Push the recording in small chunks at the pace asked for."""
    from ectopy.alarms import StreamDesk

    step = max(1, round(min(1.0, speed / _PICTURES_PER_S) * recording.fs))  # at most a second
    n, fs = len(recording.samples), float(recording.fs)
    desk = StreamDesk()

    def told(now: int, verdicts: list[Verdict], alarms: list[Alarm]) -> None:
        changed = [AlarmTold.of(alarm) for alarm in alarms]
        tell(now, verdicts, changed)
        for verdict in verdicts:
            tally.add(verdict)
        for alarm in changed:
            tally.add_alarm(alarm)

    began = time.monotonic()
    for first in range(0, n, step):
        chunk = recording.samples[first : first + step]
        verdicts = stream.push(chunk)
        now = first + len(chunk)
        told(now, verdicts, desk.push(stream.found(), now // recording.fs))
        time.sleep(max(0.0, began + now / fs / speed - time.monotonic()))
    verdicts = stream.finish()
    told(n, verdicts, desk.push(stream.found(), n / fs) + desk.finish(n / fs))


def _print_json(_: int, verdicts: list[Verdict], alarms: list[AlarmTold]) -> None:
    for told in [verdict.to_dict() for verdict in verdicts] + [alarm.to_dict() for alarm in alarms]:
        print(json.dumps(told, allow_nan=False), flush=True)


def _print_lines() -> Tell:
    news = AlarmNews()

    def tell(_: int, verdicts: list[Verdict], alarms: list[AlarmTold]) -> None:
        for verdict in verdicts:
            print_line(verdict)
        for alarm in filter(news.new, alarms):
            print_alarm(alarm)

    return tell


@contextmanager
def _screen(recording: Recording, speed: float) -> Iterator[Tell]:
    """A live picture at the bottom of the terminal; verdicts and alarms scroll away above it."""
    from rich.console import Console
    from rich.live import Live

    from ectopy.cli._screen import Screen, alarm_line, heading, line

    screen = Screen(recording, "as fast as it goes" if math.isinf(speed) else f"{speed:g}x")
    given: list[Verdict] = []
    news = AlarmNews()
    screen.verdicts = given
    drawn = -math.inf
    with Live(screen, console=Console(), auto_refresh=False, vertical_overflow="crop") as live:
        live.console.print(heading())

        def tell(now: int, verdicts: list[Verdict], alarms: list[AlarmTold]) -> None:
            nonlocal drawn
            given.extend(verdicts)
            screen.now = now
            for verdict in verdicts:
                live.console.print(line(verdict))
            for alarm in filter(news.new, alarms):
                live.console.print(alarm_line(alarm))
            # half a period, so that a picture that is due a little early is not left out
            if time.monotonic() - drawn >= 0.5 / _PICTURES_PER_S:
                live.refresh()
                drawn = time.monotonic()

        yield tell

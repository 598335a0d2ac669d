"""How `ectopy stream` plays a signal into a service and hears its verdicts and alarms."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from ectopy.cli._lines import Lines, Tally
from ectopy.cli._sources import Source
from ectopy.client import Client, Writer
from ectopy.errors import EctopyError, ServiceError
from ectopy.figures import clock
from ectopy.verdict import SHORTEST_S
from ectopy.wire import AlarmOut, VerdictOut

_AHEAD_S = 60  # of signal that waits for the service, before a source that can wait is made to
_PARTING_S = 2.0
_OWED_S = 30.0  # without any verdict, before those that are owed at the end are given up


async def play(
    source: Source,
    to: str,
    stream: str,
    *,
    as_json: bool = False,
    opened: Callable[[Client], Awaitable[None]] | None = None,
    heard: Callable[[AlarmOut], None] | None = None,
) -> Tally:
    """Print verdicts and alarms until the signal ends and all its verdicts are told, and count them; cancelled, it
    leaves the epoch open and says how far it is.

    opened : called before the first sample, when the stream is there
    heard : called with each change of an alarm

    Raises
    ------
    ServiceError
        If there is no service at `to`. Where it goes away later, samples are kept until it is back.
    ConflictError
        If somebody else writes the stream.
    """
    async with Client(to) as client, client.writer(stream, source.request, say=_say) as writer:
        rate, lines = float(source.request.rate), Lines(writer.epoch.started_at, as_json=as_json)

        def tell(message: VerdictOut | AlarmOut) -> None:
            lines.tell(message)
            if heard and isinstance(message, AlarmOut):
                heard(message)

        try:
            if opened:
                await opened(client)
            async with _shown(writer, source.n, rate):
                await _both(source, client, writer, tell)
        except asyncio.CancelledError:
            with suppress(EctopyError, TimeoutError):
                await asyncio.wait_for(writer.drain(), _PARTING_S)
            done, handed = (clock(n / rate) for n in (writer.acknowledged, writer.handed))
            _say(f"{done} of {handed} acknowledged; epoch {writer.epoch.epoch} of {stream} stays open")
            raise
        if writer.dropped:
            _say(f"{writer.dropped / rate:.1f} s of signal were lost while the service was away")
        return lines.tally


async def _both(source: Source, client: Client, writer: Writer, tell: Callable[[VerdictOut | AlarmOut], None]) -> None:
    """Feed and listen, until the verdict of the end is there, and what came of alarms with it."""
    epoch, change, told_s, told = writer.epoch.epoch, 0, 0.0, asyncio.Event()
    alarms: set[int] = set()  # told: of this epoch, and those that were on when it began

    async def listen() -> None:
        nonlocal change, told_s
        async for message in client.watch(writer.stream, ("alarms", "verdicts"), epoch=epoch):
            if isinstance(message, AlarmOut):
                tell(message)
                change = message.change
                alarms.add(message.id)
            elif isinstance(message, VerdictOut):
                tell(message)
                told_s = message.end_s
                told.set()

    async def feed() -> None:
        await _feed(source, writer)
        owed_s = writer.handed / float(source.request.rate) - SHORTEST_S
        try:
            while told_s <= owed_s:
                told.clear()
                async with asyncio.timeout(_OWED_S):  # Python 3.11's `wait_for` may miss Ctrl-C
                    await told.wait()
        except TimeoutError:
            raise ServiceError(f"{client.url}: no verdict beyond {clock(told_s)} for {_OWED_S:.0f} s") from None

    tasks = [asyncio.create_task(feed()), asyncio.create_task(listen())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    async for alarm in client.alarm_changes(writer.stream, after=change):
        if alarm.epoch == epoch or alarm.id in alarms:
            tell(alarm)


async def _feed(source: Source, writer: Writer) -> None:
    """All of it, then the end. A recording can wait for the service, a device only where it is ahead of the clock."""
    rate, began = float(source.request.rate), asyncio.get_running_loop().time()
    async for chunk in source.chunks:
        await writer.send(chunk)
        ahead_s = writer.handed / rate - (asyncio.get_running_loop().time() - began)
        can_wait = source.n is not None or ahead_s > _AHEAD_S
        if can_wait and writer.handed - writer.acknowledged > _AHEAD_S * rate:
            await writer.drain()
    await writer.end()


@asynccontextmanager
async def _shown(writer: Writer, n: int | None, rate: float) -> AsyncIterator[None]:
    """How far it is, where stderr is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[how]}"))
    console, together = Console(stderr=True), sys.stdout.isatty()
    with Progress(*columns, console=console, transient=True, auto_refresh=False, redirect_stdout=together) as bar:
        task = bar.add_task(writer.stream, total=n, how="")

        async def refresh() -> None:
            while True:
                done, kept = writer.acknowledged, writer.handed - writer.acknowledged
                how = clock(int(done / rate)) + (f" of {clock(int(n / rate))}" if n else "")
                how += "" if writer.connected else f", no service, {clock(int(kept / rate))} kept"
                bar.update(task, completed=done, how=how, refresh=True)
                await asyncio.sleep(0.2)

        refreshing = asyncio.create_task(refresh())
        try:
            yield
        finally:
            refreshing.cancel()
            await asyncio.wait({refreshing})


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)

"""The streams, on the event loop: which there are, their epochs, what judges them, and what comes of it.

    Intake -> Judge -> Store -> told

Nothing here waits for a disk or a model; two threads do (`Store`, `Judge`) and call back.
"""

from __future__ import annotations

import asyncio
import logging
import time

from ectopy.errors import RecordError
from ectopy.service.alarming import Alarming
from ectopy.service.announcer import Announcer
from ectopy.service.intake import Intake
from ectopy.service.judge import Judge
from ectopy.service.judging import Models
from ectopy.service.live import Live
from ectopy.service.metrics import Metrics
from ectopy.service.reading import Reader
from ectopy.service.rows import (
    AnnotationRow,
    ChoiceRow,
    EpochRow,
    JudgedRow,
    microseconds,
)
from ectopy.service.runs import Run, Turn
from ectopy.service.settings import Settings
from ectopy.service.store import Kept, Store
from ectopy.wire import Annotate, Choice, Epoch, EpochRequest, Stream

_log = logging.getLogger(__name__)
_LOOK_S = 0.25  # between two looks for what is missing for too long
_UNLOOKED_S = 10.0  # without a look that went well: the event loop hangs, or each look fails


class Streams:
    """All of them. Every method is called on the event loop."""

    def __init__(self, settings: Settings, metrics: Metrics):
        self._settings, self._metrics = settings, metrics
        self._live: dict[str, Live] = {}
        self._judged: dict[int, Live] = {}  # by epoch: the newest ones, and those that are still judged
        self._known: dict[str, tuple[str | None, Choice | None]] = {}  # labels, and what judges the next epochs
        self._announcer = Announcer(metrics, self._live)
        self.listeners = self._announcer.listeners
        self._choosing = asyncio.Lock()
        self.ready = self.stopping = False

    async def start(self) -> None:
        """Open the store and go on with every epoch that ran."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._open)
        self.intake = Intake(
            self._store,
            self._reader,
            self._judge,
            self._announcer,
            self._metrics,
            came=self.alarming.came,
            trouble=lambda: self._broken or self._store.trouble,
        )
        self._store.start()
        self._judge.start()
        self._looked_s = time.monotonic()  # when alarms were last looked after
        self._ticker = asyncio.create_task(self._tick())
        self.ready = True
        self.alarming.start()  # it looks at once whether all is well

    async def stop(self) -> None:
        """Keep what was taken in; what is not judged yet is replayed from the log at the next start."""
        self.ready = False
        self._ticker.cancel()
        await asyncio.to_thread(self._judge.close)
        await asyncio.to_thread(self.alarming.close)
        await asyncio.to_thread(self._store.close)

    def dismiss(self) -> None:
        """Let go of who listens to all verdicts: such a connection has no end of its own. The others end by themselves,
        and that is no fault of theirs."""
        self.stopping = True
        for watcher in self.listeners:
            watcher.give_up()

    @property
    def reader(self) -> Reader:
        return self._reader

    @property
    def _broken(self) -> str | None:
        """Why the service can't go on, if so."""
        if not self.ready:
            return "not ready yet"
        if not self._judge.alive or self._ticker.done():
            return "the service has failed inside; its log says where, start it again"
        return None

    @property
    def trouble(self) -> str | None:
        """What is wrong, if anything is: that, too, which leaves samples and people's acts to be taken in."""
        if self._broken is not None:
            return self._broken
        if self._judge.hangs:
            return "the service hangs inside: an analysis doesn't end; start it again"
        if time.monotonic() - self._looked_s > _UNLOOKED_S:
            return "alarms are not looked after; the service's log may say why, start it again"
        return self._store.trouble

    def page(self, after: str, limit: int) -> list[Stream]:
        """Streams by id, behind one."""
        return [self.stream(name) for name in sorted(name for name in self._live if name > after)[:limit]]

    def stream(self, name: str) -> Stream:
        live = self.live(name)
        connected = live.writer is not None
        label, chosen = self._known.get(name, (None, None))
        return Stream(
            id=name,
            label=label,
            epoch=self.told(live),
            chosen=chosen,
            connected=connected,
            last_verdict=live.last_word,
        )

    def live(self, name: str, epoch: int | None = None) -> Live:
        """The stream's newest epoch.

        Raises
        ------
        RecordError
            If there is no such stream, or `epoch` is another one.
        """
        live = self._live.get(name)
        if live is None:
            raise RecordError(f"no stream '{name}'; begin an epoch of it: POST /v1/streams/{name}/epochs")
        if epoch is not None and epoch != live.epoch.number:
            raise RecordError(f"stream '{name}' has no epoch {epoch} that runs; the newest is {live.epoch.number}")
        return live

    def told(self, live: Live) -> Epoch:
        """A stream's newest epoch, as the API has it."""
        return live.told(self._models.of(live.epoch.choice).name)

    def past(self, row: EpochRow) -> Epoch:
        """An epoch that is not the newest; reads the disk."""
        standing = self._reader.standing([row.key])[row.key]
        return self.told(Live.resumed(row, self._settings.credit_s, self._reader, standing))

    async def begin(self, name: str, request: EpochRequest) -> Epoch:
        """A new epoch; one that runs is ended where it is."""
        self.intake.check_room()
        before = self._live.get(name)
        if before is not None and not before.ended:
            self.intake.close(before, before.log.next)
        label, choice = self._known.get(name, (None, None))
        row = EpochRow(
            key=self._store.next_epoch(),
            stream=name,
            number=before.epoch.number + 1 if before else 1,
            fs=request.rate,
            leads=tuple(request.leads),
            kind=request.kind,
            unit=request.unit,
            gain=request.gain,
            offset=request.offset,
            label=request.label,
            started_us=round(time.time() * 1e6),
            device_us=None if request.device_time is None else microseconds(request.device_time),
            choice=choice,
        )
        live = Live.of(row, self._settings.credit_s, self._reader)
        if before:
            live.watchers = before.watchers
            if before.judged.is_set():  # nothing comes of it any more
                self._judged.pop(before.epoch.key, None)
        self._live[name] = self._judged[row.key] = live
        self.alarming.came(name, time.monotonic())  # it is silent from now on, not since the service began
        self._known[name] = label if request.label is None else request.label, choice
        await self.intake.keep(live, [row], [])
        self._metrics.streams.inc()
        return self.told(live)

    async def choose(self, name: str, choice: Choice) -> Stream:
        """What the stream's next epochs are judged by. Returns once it is on disk."""
        live = self.live(name)
        self.intake.check_room()
        async with self._choosing:  # the last that was asked for holds, however long one takes to load
            await asyncio.to_thread(self._models.check, choice)
            self._known[name] = self._known[name][0], choice
            await self.intake.keep(live, [ChoiceRow(name, choice)], [])
        return self.stream(name)

    async def annotate(self, epoch: EpochRow, said: Annotate) -> AnnotationRow:
        """Keep what somebody says of a beat; returns once it is on disk.

        Raises
        ------
        RecordError
            If the epoch has no such sample.
        BusyError
            As `Intake.offer`.
        """
        self.intake.check_room()
        end = await asyncio.to_thread(self._reader.end, epoch.key)
        if said.sample >= end:
            raise RecordError(f"sample {said.sample}: epoch {epoch.number} of '{epoch.stream}' has {end:,} so far")
        number, now_us = self._store.next_annotation(), round(time.time() * 1e6)
        row = AnnotationRow(number, epoch.key, said.sample, said.aami, said.replaced, said.author, said.note, now_us)
        await self.intake.keep(self.live(epoch.stream), [row], [])
        return row

    def _open(self) -> None:
        self._models = Models(self._settings.model, self._settings.operating_point)
        self._store = Store(self._settings.data, self._settings.spare_mb * 1_000_000, self._told)
        self._reader = Reader(self._store.database, self._store.segments)
        self._judge = Judge(
            self._models,
            self._reader,
            self._store.snapshots,
            self._settings.snapshot_s,
            next_verdict=self._store.next_verdict,
            keep=self._turned,
        )
        self.alarming = Alarming(
            self._settings,
            self._store,
            self._reader,
            self._metrics,
            tell=self._announcer.alarms,
            healthy=lambda: self.trouble is None,
        )
        self._known = self._reader.known()
        rows = self._reader.current()
        standing = self._reader.standing([row.key for row in rows])
        for row in rows:
            self._models.of(row.choice)  # loaded here, and not when somebody asks
            live = Live.resumed(row, self._settings.credit_s, self._reader, standing[row.key])
            self._live[row.stream] = live  # the newest comes last
            self._judged[row.key] = live
            self._metrics.streams.inc(not live.ended)
            if not row.judged:
                self._judge.feed(live.run, [live.owed])

    def _told(self, kept: list[Kept]) -> None:
        """In the store's thread: a group is on disk."""

        def tell() -> None:
            self._metrics.store_depth.set(self._store.depth)
            for one in kept:
                try:
                    one()
                except Exception:  # one stream's trouble is not the others'
                    _log.exception("what is kept could not be told")

        self._loop.call_soon_threadsafe(tell)

    def _turned(self, run: Run, turn: Turn, seconds: float) -> None:
        """In the judge's thread: a turn is over, what came of it is to be kept and then told."""
        live = self._judged[run.epoch.key]
        judged = any(isinstance(row, JudgedRow) for row in turn.rows)

        def kept() -> None:
            self._metrics.inference.observe(seconds)
            self._metrics.judge_depth.set(self._judge.depth)
            self._announcer.verdicts(live, turn.verdicts)
            if judged:
                live.judged.set()
                if self._live[run.epoch.stream] is not live:
                    del self._judged[run.epoch.key]
            if live.writer is not None and live.held_back:
                live.writer.acknowledge(live)  # who was told to wait may go on

        self.alarming.desk.take(turn.found, kept, turn.rows)

    async def _tick(self) -> None:
        """Give up what has been missing for too long."""
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                running = {name for name, live in self._live.items() if not live.ended}
                self.alarming.look_round(running, judged=self._judge.idle)
                self._looked_s = time.monotonic()
            except Exception:  # it looks again
                _log.exception("alarms were not looked after")
            self._metrics.writers.set(sum(live.writer is not None for live in self._live.values()))
            self._give_up_holes()
            self.intake.look()

    def _give_up_holes(self) -> None:
        for live in self._live.values():
            try:
                self.intake.give_up(live, self._settings.late_s)
            except Exception:  # one stream's trouble is not the others'
                _log.exception("a hole was not given up", extra={"epoch": live.epoch.key})

"""What comes in, on the event loop: samples by their index, gaps and ends become rows to keep, then entries to judge.

chunk -> Log (by index) -> Store -> acknowledged -> Judge
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext, suppress
from itertools import groupby
from typing import NoReturn

from ectopy.errors import BusyError, ConflictError, FrameError
from ectopy.service.announcer import Announcer
from ectopy.service.ingest import Added, Hole, Late, Outcome
from ectopy.service.judge import Judge
from ectopy.service.live import Live
from ectopy.service.metrics import Metrics
from ectopy.service.reading import Reader
from ectopy.service.rows import ConflictRow, EndRow, GapRow, Row, SamplesRow
from ectopy.service.runs import Entry
from ectopy.service.store import Store
from ectopy.wire import Chunk

_QUEUE = 20_000  # entries that may wait for the disk ...
_QUEUE_BYTES = 128 * 1024 * 1024  # ... and bytes of samples in them
_AHEAD = 4  # times its credit, that a stream's chunks may hold while they wait for missing ones: they overlap ...
_CHUNKS = 500  # ... and how many may: each that comes is compared with them
_TURN = 100  # chunks, of thousands that a frame may have, before it is another task's turn
_GAP_S = 24 * 3600  # of one declared gap
_JUDGED_S = 10.0  # that the end of an epoch waits for its last verdicts
_AWAKE_S = 0.5  # between two looks at most; what is over that the service stood still


class Intake:
    """Every method is called on the event loop.

    came : told the stream and when, at each sample that is new
    trouble : why nothing is taken in, if so
    """

    def __init__(
        self,
        store: Store,
        reader: Reader,
        judge: Judge,
        announcer: Announcer,
        metrics: Metrics,
        *,
        came: Callable[[str, float], None],
        trouble: Callable[[], str | None],
    ):
        self._loop = asyncio.get_running_loop()
        self._store, self._reader, self._judge = store, reader, judge
        self._announcer, self._metrics = announcer, metrics
        self._came, self._trouble = came, trouble
        self._offered = 0  # chunks
        self._asked: deque[float] = deque()  # when what is on its way to the disk was given to it
        self._comparing: list[float] = []  # since when what came is compared with what is on disk, the longest first
        self._reached_s = self._loop.time()  # up to then all that was given is on disk, as last looked
        self._waited_s = 0.0  # a clock of its own for holes: see `look`
        self._open_s = 0.0  # on that clock: from then on whoever was refused may have come again

    def check_room(self) -> None:
        """Refuse with BusyError where nothing can be taken in."""
        if (busy := self._busy()) is not None:
            self._metrics.refused.inc()
            raise busy

    def check_act(self) -> None:
        """As `check_room`, for what people do about alarms: a full disk's reserve has room for that."""
        if not self._store.full or self._trouble() != self._store.trouble:
            self.check_room()

    def _busy(self) -> BusyError | None:
        busy = None
        if (trouble := self._trouble()) is not None:
            busy = BusyError(trouble, retry_after_s=5, status=503)
        elif self._store.depth > _QUEUE or self._store.size > _QUEUE_BYTES:
            busy = BusyError(f"{self._store.depth} entries wait for the disk; try again in a second")
        if busy is not None:
            self._open_s = self._waited_s + busy.retry_after_s
        return busy

    async def offer(self, live: Live, chunk: Chunk) -> Awaitable[None] | None:
        """Samples that have come. What it gives is done once they are on disk; nothing to wait for if none are new.

        Raises
        ------
        FrameError
            If their bytes are not those of so many samples.
        ConflictError
            If others stand in their place, or the epoch has ended.
        BusyError
            If there is no credit for them, or no room.
        """
        self._offered += 1
        if self._offered % _TURN == 0:
            await asyncio.sleep(0)
        if len(chunk.samples) != chunk.n * live.log.width:
            raise FrameError(
                f"{len(chunk.samples)} bytes for {chunk.n} samples; expected {live.log.width} a sample "
                f"({live.epoch.kind}, {len(live.epoch.leads)} leads)"
            )
        try:
            async with live.comparing if chunk.first < live.log.next else nullcontext():
                return await self._offer(live, chunk)
        except BusyError as busy:
            live.refused = max(live.refused, chunk.first + chunk.n)
            live.awaited_s = max(live.awaited_s, self._waited_s + busy.retry_after_s)
            raise

    async def _offer(self, live: Live, chunk: Chunk) -> Awaitable[None] | None:
        """As `offer`, when it is its turn to be compared with what is there."""
        end = chunk.first + chunk.n
        compared, late = chunk.first, list[Late]()
        while compared < (known := min(live.log.next, end)):  # more of it may come by another way meanwhile
            self._comparing.append(began_s := self._loop.time())
            try:
                late += await self._compare(live, chunk, range(compared, known))
            finally:
                self._comparing.remove(began_s)
            compared = known
        if live.ended and end > live.log.next:
            raise ConflictError(f"epoch {live.epoch.number} of '{live.epoch.stream}' has ended; begin a new one")
        self.check_room()
        if end > live.log.next and end > live.committed + live.credit:
            self._metrics.refused.inc()
            raise BusyError(
                f"samples up to {end} are beyond the credit: next is {live.committed}, credit {live.credit}; "
                "wait for an acknowledgement"
            )
        crowded = live.log.waiting > _AHEAD * live.credit * live.log.width or live.log.chunks_waiting >= _CHUNKS
        if chunk.first > live.log.next and crowded and not live.log.waits(chunk.first, chunk.n):
            self._metrics.refused.inc()
            raise BusyError(f"too many samples wait for those from {live.log.next} on; send these first")
        if (others := live.log.differs(chunk.first, chunk.n, chunk.samples)) is not None:
            await self._conflict(live, others)
        outcomes = live.log.offer(chunk.first, chunk.n, chunk.samples, self._waited_s)
        return self._take(live, [*late, *outcomes], end)

    def declare(self, live: Live, first: int, n: int) -> Awaitable[None] | None:
        """A gap that the device tells of; as `offer`."""
        if live.ended:
            raise ConflictError(f"epoch {live.epoch.number} of '{live.epoch.stream}' has ended; begin a new one")
        if first + n > live.log.next + _GAP_S * live.epoch.fs:
            raise ConflictError(f"a gap up to sample {first + n}, over {_GAP_S // 3600} h ahead; begin a new epoch")
        self.check_room()
        self._check_refused(live, first)
        return self._take(live, live.log.declare(first, n), None)

    async def end(self, live: Live, n: int) -> None:
        """As `finish`; returns once it is on disk and the verdicts still owed are, or some seconds later."""
        kept = self.finish(live, n)
        if kept is not None:
            await kept
        with suppress(TimeoutError):  # they are given whatever becomes of the wait
            await asyncio.wait_for(live.judged.wait(), _JUDGED_S)

    def finish(self, live: Live, n: int) -> Awaitable[None] | None:
        """The run is over after `n` samples; ended again, nothing changes. Gives what `offer` does."""
        if n < live.log.reach:
            raise ConflictError(f"an end at {n}, but samples up to {live.log.reach} have come")
        if live.ended and n > live.log.next:
            raise ConflictError(f"epoch {live.epoch.number} ended after {live.log.next} samples; begin a new one")
        if live.ended:
            return None
        self.check_room()
        if n > live.log.next + _GAP_S * live.epoch.fs:
            raise ConflictError(f"an end at {n}, over {_GAP_S // 3600} h ahead of what is there")
        self._check_refused(live, n)
        return self.close(live, n)

    def _check_refused(self, live: Live, upto: int) -> None:
        """Refuse with BusyError what would make a gap of samples that were refused and may come again."""
        if min(upto, live.refused) > live.log.next and self._waited_s < live.awaited_s:
            self._metrics.refused.inc()
            raise BusyError(f"samples from {live.log.next} on were refused; send these first", status=503)

    def close(self, live: Live, n: int) -> asyncio.Future[None]:
        """The epoch ends after `n` samples, whatever holes there are."""
        live.ended = True
        self._metrics.streams.dec()
        rows, entries = self._rows(live, live.log.close(n))
        last = EndRow(live.epoch.key, live.log.next)
        return self.keep(live, [*rows, last], [*entries, last])

    def give_up(self, live: Live, late_s: float) -> None:
        """A hole that has been missing for too long becomes a gap; not while nothing could be taken in."""
        since = live.log.since
        if since is None or self._busy() is not None:
            return
        if self._waited_s - max(since, self._open_s) >= late_s:
            self._take(live, live.log.expire(self._waited_s, late_s), None)

    def look(self) -> None:
        """Count, some times a second and behind `give_up`, the time in which missing samples could have come.

        Not that in which the service stood still, or the disk: what fills a hole may lie unread in a socket, or its
        device may wait for an answer. It may be read before the next look.
        """
        now = min([waits[0] for waits in (self._asked, self._comparing) if waits], default=self._loop.time())
        self._waited_s += min(now - self._reached_s, _AWAKE_S)
        self._reached_s = now

    def _take(self, live: Live, outcomes: Sequence[Outcome], end: int | None) -> Awaitable[None] | None:
        rows, entries = self._rows(live, outcomes)
        if end is not None and rows:
            now_s = time.monotonic()
            self._came(live.epoch.stream, now_s)
            anchor = live.clock.observe(end, now_s, time.time())
            rows = [*rows, anchor] if anchor else rows
        return self.keep(live, rows, entries) if rows else None

    def _rows(self, live: Live, outcomes: Sequence[Outcome]) -> tuple[list[Row], list[Entry]]:
        rows: list[Row] = []
        entries: list[Entry] = []
        key = live.epoch.key
        for outcome in outcomes:
            match outcome:
                case Added(first, n, samples):
                    entries.append(SamplesRow(key, first, n, samples))
                    rows.append(entries[-1])
                    self._metrics.samples.inc(n * len(live.epoch.leads))
                case Hole(first, n, reason):
                    entries.append(GapRow(key, first, n, reason))
                    rows.append(entries[-1])
                    self._metrics.gaps.labels(reason).inc()
                case Late(first, n, samples):
                    rows.append(SamplesRow(key, first, n, samples, late=True))
        return rows, entries

    def keep(self, live: Live, rows: Sequence[Row], entries: list[Entry]) -> asyncio.Future[None]:
        """Rows to the disk, in order; what it gives is done when they are there. Entries are judged from then on."""
        done = self._loop.create_future()
        late = [row for row in rows if isinstance(row, SamplesRow) and row.late]
        live.late += late

        def kept() -> None:
            self._asked.popleft()
            del live.late[: len(late)]
            for entry in entries:
                if not isinstance(entry, EndRow):
                    live.committed = entry.first + entry.n
                self._announcer.entry(live, entry)
            if entries:
                live.kept_at.append((live.committed, time.perf_counter()))
                self._judge.feed(live.run, entries)
                if live.writer is not None:
                    live.writer.acknowledge(live)
            if not done.cancelled():
                done.set_result(None)

        self._asked.append(self._loop.time())
        self._store.keep(rows, kept)
        return done

    async def _compare(self, live: Live, chunk: Chunk, known: range) -> list[Late]:
        """Refuse samples that differ from those that are there; what of them is late, and new, is to be kept."""
        while live.committed < known.stop:  # they are on their way to the disk
            self.check_room()
            await self.keep(live, [], [])
        late, key, width = list[Late](), live.epoch.key, live.log.width
        try:
            there = await asyncio.to_thread(lambda: [*self._reader.log(key, known.start, known.stop, width)])
        except FileNotFoundError:  # no longer kept: there is nothing to compare with
            return []
        for gap, some in groupby(there, key=lambda piece: isinstance(piece, GapRow)):
            pieces = [*some]
            at, end = pieces[0].first, pieces[-1].first + pieces[-1].n
            samples = live.log.cut(chunk.samples, chunk.first, at, end)
            if gap:
                one = Late(at, end - at, samples)
                late += [] if await self._is_kept(live, one) else [one]
            elif samples != b"".join(piece.samples for piece in pieces if isinstance(piece, SamplesRow)):
                await self._conflict(live, range(at, end))
        return late

    async def _is_kept(self, live: Live, late: Late) -> bool:
        """Whether the same came late before; returns once that is on disk."""
        coming = [*live.late]
        try:
            kept = await asyncio.to_thread(self._reader.late, live.epoch.key, late.first, late.n, live.log.width)
        except FileNotFoundError:  # the same
            return True
        if not late.stands_in([*coming, *kept]):
            return False
        if coming:
            await self.keep(live, [], [])
        return True

    async def _conflict(self, live: Live, where: range) -> NoReturn:
        self.check_room()
        self._metrics.conflicts.inc()
        row = ConflictRow(live.epoch.key, where.start, len(where), round(time.time() * 1e6))
        await self.keep(live, [row], [])
        raise ConflictError(
            f"stream '{live.epoch.stream}', epoch {live.epoch.number}: other samples are there already between "
            f"{where.start} and {where.stop}; nothing was changed"
        )

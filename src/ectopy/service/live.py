"""A stream as it stands: what it has, who writes it, who is told."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, get_args

from ectopy.service.clock import Clock
from ectopy.service.hub import Watcher
from ectopy.service.ingest import Log
from ectopy.service.reading import Reader, Standing
from ectopy.service.rows import AnchorRow, EndRow, EpochRow, GapRow, SamplesRow, utc
from ectopy.service.runs import Entry, Run
from ectopy.verdict import Word
from ectopy.wire import Ack, Chunk, Epoch, Gap, What, pack

if TYPE_CHECKING:
    from ectopy.service.sockets import Connection

_BACKLOG_S = 10.0, 60.0  # of signal not judged yet: from there on credit falls, and is 0
_FRAME = 64 * 1024  # bytes of samples in one that is told
_REMEMBERED = 64  # commits a stream, for its verdicts' lag


@dataclass(eq=False)
class Live:
    """A stream's newest epoch.

    credit_s : seconds that a device may be ahead of the disk
    rate : samples a second, where it need not be exact
    judged : it has ended, and all its verdicts are kept
    committed : index behind the last sample or gap on disk
    allowed : index up to which samples may be sent; what was granted once, to whomever, is not taken back
    known : index up to which the writer has been told so
    kept_at : what was committed lately, and when
    late : what came late and is on its way to the disk
    comparing : held while a chunk is compared with what is there: else one that comes late twice at once is kept twice
    refused : index behind all samples that there was no room for when they came
    awaited_s : until then, on the intake's clock, these may come again
    """

    epoch: EpochRow
    log: Log
    clock: Clock
    run: Run
    credit_s: float
    committed: int = 0
    ended: bool = False
    judged: asyncio.Event = field(default_factory=asyncio.Event)
    writer: Connection | None = None
    allowed: int = 0
    known: int = 0
    last_word: Word | None = None
    watchers: dict[What, set[Watcher]] = field(default_factory=lambda: {what: set() for what in get_args(What)})
    kept_at: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    late: list[SamplesRow] = field(default_factory=list)
    comparing: asyncio.Lock = field(default_factory=asyncio.Lock)
    refused: int = 0
    awaited_s: float = 0.0
    rate: float = field(init=False)

    def __post_init__(self) -> None:
        self.rate = float(self.epoch.fs)

    @classmethod
    def of(cls, row: EpochRow, credit_s: float, reader: Reader, anchors: Sequence[AnchorRow] = ()) -> Live:
        """At its first sample."""
        clock = Clock(row.key, row.fs, row.started_us, row.device_us, anchors, partial(reader.anchor, row.key))
        return cls(row, Log(row.form.width), clock, Run(row, clock), credit_s)

    @classmethod
    def resumed(cls, row: EpochRow, credit_s: float, reader: Reader, standing: Standing) -> Live:
        """As the store has it, after a restart."""
        live = cls.of(row, credit_s, reader, standing.anchors)
        live.committed = live.log.next = standing.end
        live.ended = row.end is not None
        if row.judged:
            live.judged.set()
        live.run.given, live.run.told_s = standing.given, standing.told_s
        live.run.reached = live.committed
        live.last_word = standing.word
        return live

    @property
    def owed(self) -> Entry:
        """What is to be judged after a restart: as far as the log goes."""
        if self.ended:
            return EndRow(self.epoch.key, self.committed)
        return SamplesRow(self.epoch.key, self.committed, 0, b"")

    @property
    def credit(self) -> int:
        """Samples that may be sent beyond what is on disk: fewer, the more of that is not judged yet."""
        return max(self.allowed - self.committed, self._credit_now())

    def _credit_now(self) -> int:
        low, high = _BACKLOG_S
        backlog_s = (self.committed - self.run.reached) / self.rate
        share = min(max((high - backlog_s) / (high - low), 0.0), 1.0)
        return int(self.credit_s * self.rate * share)

    def ack(self) -> Ack:
        """How far all is on disk, and what may come beyond."""
        return Ack(stream=self.epoch.stream, epoch=self.epoch.number, next=self.committed, credit=self._grant())

    def ack_json(self) -> str:
        """The same as JSON: one a second for each stream, so pydantic is spared. No id needs escaping."""
        return (
            f'{{"type":"ack","stream":"{self.epoch.stream}","epoch":{self.epoch.number},'
            f'"next":{self.committed},"credit":{self._grant()}}}'
        )

    def _grant(self) -> int:
        """The credit, which is told now."""
        credit = self.credit
        self.allowed = self.committed + credit
        return credit

    @property
    def held_back(self) -> bool:
        """More may be sent than the writer knows: a good deal more, or as much as ever."""
        credit, full = self._credit_now(), int(self.credit_s * self.rate)
        more = self.committed + credit - self.known
        return more > full / 4 or (credit == full and more > 0)

    def told(self, model: str) -> Epoch:
        """The epoch as the API has it."""
        row = self.epoch
        return Epoch(
            stream=row.stream,
            epoch=row.number,
            fs=float(row.fs) if row.fs.denominator == 1 else str(row.fs),
            leads=list(row.leads),
            kind=row.kind,
            unit=row.unit,
            gain=row.gain,
            offset=row.offset,
            label=row.label,
            device_time=None if row.device_us is None else utc(row.device_us),
            started_at=utc(row.started_us),
            ended=self.ended,
            next=self.committed,
            credit=self.credit,
            model=model,
        )


def frames_of(epoch: EpochRow, row: SamplesRow) -> list[bytes]:
    """Samples as they are told: in frames that fit into a watcher's queue."""
    width = epoch.form.width
    step = max(_FRAME // width, 1)
    frames = []
    for at in range(0, row.n, step):
        part = row.samples[at * width : (at + step) * width]
        frames.append(pack([Chunk(epoch.stream, epoch.number, row.first + at, len(part) // width, part)]))
    return frames


def gap_of(epoch: EpochRow, row: GapRow) -> Gap:
    """A gap as the API has it."""
    return Gap(stream=epoch.stream, epoch=epoch.number, first=row.first, n=row.n, reason=row.reason)

"""An epoch's analysis as it stands, and what comes of a turn of it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from ectopy.alarms import EpochEnded, Found
from ectopy.analysis import StreamAnalyzer
from ectopy.service.clock import Clock
from ectopy.service.rows import EndRow, EpochRow, GapRow, Row, SamplesRow, VerdictRow

Entry = SamplesRow | GapRow | EndRow


@dataclass(frozen=True, slots=True)
class ToldAgain:
    """A finding that lasts, told once more: it was too old to be told when it began."""

    found: Found


@dataclass
class Run:
    """One epoch's analysis.

    done : samples that it has taken in
    reached : index behind what it has been fed and has taken in: for what is replayed after a restart, nobody waits
    behind : what was found last lay too far back for anybody to be told of it
    failed : turns that ended in an error, its own or one of those it had them with, since it last caught up
    wanted : samples with which the next verdict can be given; with fewer there is nothing to do
    given : start of the last verdict that is kept; -1 before the first
    told_s : second of the stream with which the last finding that is kept was told
    """

    epoch: EpochRow
    clock: Clock
    waiting: deque[Entry] = field(default_factory=deque)
    analyzer: StreamAnalyzer | None = None
    done: int = 0
    wanted: int = 0
    given: int = -1
    told_s: float = 0.0
    behind: bool = True
    saved: int = 0
    queued: bool = False
    reached: int = 0
    failed: int = 0

    @property
    def due(self) -> bool:
        """Whether something can come of what waits."""
        if not self.waiting:
            return False
        last = self.waiting[-1]
        return isinstance(last, EndRow) or last.first + last.n >= self.wanted


@dataclass
class Turn:
    """What came of a turn of an epoch.

    rows : to be kept, see `Store.keep`
    verdicts : those among them, to be told once they are kept
    found : what the alarms are to know
    """

    rows: list[Row] = field(default_factory=list)
    verdicts: list[VerdictRow] = field(default_factory=list)
    found: list[Found | ToldAgain | EpochEnded] = field(default_factory=list)

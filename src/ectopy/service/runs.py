"""An epoch's analysis as it stands, and what comes of a turn of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from ectopy.alarms import LATE_US, EpochEnded, Found
from ectopy.analysis import StreamAnalyzer
from ectopy.service.clock import Clock
from ectopy.service.reading import Reader
from ectopy.service.rows import EndRow, EpochRow, GapRow, Row, SamplesRow, VerdictRow
from ectopy.verdict import Finding

Entry = SamplesRow | GapRow | EndRow


@dataclass(frozen=True, slots=True)
class ToldAgain:
    """A finding told once more: it was too old to be told when it began, and lasts, or was not as old as it seemed."""

    found: Found


@dataclass
class Run:
    """One epoch's analysis.

    done : samples that it has taken in
    reached : index behind what it has been fed and has taken in: for what is replayed after a restart, nobody waits
    anew : it has begun again at the first sample, and what it told before may no longer hold
    behind : what was found last lay too far back for anybody to be told of it
    missed : what was found lately and seemed to lie that far back
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
    anew: bool = False
    behind: bool = True
    missed: list[Finding] = field(default_factory=list)
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

    def is_late(self, finding: Finding, now_us: int) -> bool:
        """Whether it was told too long ago for anybody to hear of it, as far as the clock knows by now."""
        return now_us - self.clock.at(round(finding.told_s * self.epoch.fs)) > LATE_US

    def over(self, new: Sequence[Finding], now_us: int) -> list[Finding]:
        """Of what was missed, or is new, that which is over, and whose beginning seemed late but wasn't."""
        missed = [finding for finding in self.missed if not self.is_late(finding, now_us)]
        begun = {(finding.name, finding.start_s) for finding in missed if finding.end_s is None}
        ended = [finding for finding in dict.fromkeys((*missed, *new)) if finding.end_s is not None]
        return [finding for finding in ended if (finding.name, finding.start_s) in begun]

    def take(self, reader: Reader, most: int) -> tuple[np.ndarray, bool]:
        """What comes next of the log, (n, n_leads) samples with NaN in gaps, and whether it ends there.

        most : samples at once

        Raises
        ------
        RuntimeError
            If the log has less than what waits says.
        """
        key, width = self.epoch.key, self.epoch.form.width
        pieces: list[SamplesRow | GapRow] = []
        ended = False
        while most > 0 and self.waiting and not ended:
            entry = self.waiting[0]
            upto = entry.n if isinstance(entry, EndRow) else entry.first
            if self.done < upto:  # after a restart
                come = [*reader.log(key, self.done, min(upto, self.done + most), width)]
                if not come:
                    raise RuntimeError(f"the log has nothing at sample {self.done}, but goes on to {upto}")
            else:
                ended = isinstance(entry, EndRow)
                come = [] if isinstance(entry, EndRow) else _rest(entry, self.done, most, width)
                if isinstance(entry, EndRow) or self.done + sum(piece.n for piece in come) >= entry.first + entry.n:
                    self.waiting.popleft()
            pieces += come
            n = sum(piece.n for piece in come)
            self.done += n
            self.reached = max(self.reached, self.done)
            most -= n
        return _samples(pieces, self.epoch), ended


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


def _rest(entry: SamplesRow | GapRow, done: int, most: int, width: int) -> list[SamplesRow | GapRow]:
    """What of an entry comes next, so many samples at most; a replay may have brought some of it."""
    skip = done - entry.first
    n = min(entry.n - skip, most)
    if n <= 0:
        return []
    if isinstance(entry, GapRow):
        return [GapRow(entry.epoch, done, n, entry.reason)]
    if n == entry.n:
        return [entry]
    return [SamplesRow(entry.epoch, done, n, entry.samples[skip * width : (skip + n) * width])]


def _samples(pieces: list[SamplesRow | GapRow], epoch: EpochRow) -> np.ndarray:
    """(n, n_leads) samples; NaN in gaps."""
    parts = [np.zeros((0, len(epoch.leads)), np.float32)]
    for kind, some in groupby(pieces, key=type):  # as many at once as lie side by side
        if kind is SamplesRow:
            parts.append(epoch.form.decode(b"".join(piece.samples for piece in some if isinstance(piece, SamplesRow))))
        else:
            parts.append(np.full((sum(piece.n for piece in some), len(epoch.leads)), np.nan, np.float32))
    return parts[1] if len(parts) == 2 else np.concatenate(parts)

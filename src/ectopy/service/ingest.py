"""What becomes of samples that come in: by their index alone, without a clock, a disk or a socket.

An epoch's log is what is accepted, in order: samples and gaps side by side from 0 on. A chunk may overlap it (whoever
has the log on disk compares that part), continue it, or lie ahead of it (then it waits for what is missing, which
becomes a gap when it does not come in time). What waits is compared here, when a chunk comes: so whoever sends others
is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ectopy.service.rows import SamplesRow


@dataclass(frozen=True, slots=True)
class Added:
    """Samples at the log's end."""

    first: int
    n: int
    samples: bytes


@dataclass(frozen=True, slots=True)
class Hole:
    """A gap at the log's end."""

    first: int
    n: int
    reason: Literal["declared", "never came"]


@dataclass(frozen=True, slots=True)
class Late:
    """Samples whose place is a gap by now: kept, and judged by nobody."""

    first: int
    n: int
    samples: bytes

    def stands_in(self, rows: Sequence[SamplesRow]) -> bool:
        """Whether each of the samples stands in one of the rows."""
        found, given = np.zeros(self.n, bool), np.frombuffer(self.samples, np.uint8).reshape(self.n, -1)
        for row in rows:
            begin, end = max(row.first, self.first), min(row.first + row.n, self.first + self.n)
            if begin < end:
                there = np.frombuffer(row.samples, np.uint8).reshape(row.n, -1)[begin - row.first : end - row.first]
                mine = slice(begin - self.first, end - self.first)
                found[mine] |= (there == given[mine]).all(1)
        return bool(found.all())


Entry = Added | Hole
Outcome = Entry | Late


@dataclass
class Log:
    """The end of an epoch's log, and what waits ahead of it.

    width : bytes of a sample
    next : index of the sample wanted next
    waiting : bytes that wait ahead
    """

    width: int
    next: int = 0
    waiting: int = 0
    _ahead: dict[int, tuple[float, int, bytes]] = field(default_factory=dict)  # by first: time it came, n, samples

    def offer(self, first: int, n: int, samples: bytes, now: float) -> list[Outcome]:
        """A chunk that `differs` nowhere, at a time in seconds of any steady clock. What is known is passed over."""
        if first > self.next:
            held = self._ahead.get(first)
            if held is None or held[1] < n:
                self._ahead[first] = now if held is None else held[0], n, samples
                self.waiting += len(samples) - (0 if held is None else len(held[2]))
            return []
        return [*self._place(first, n, samples), *self._follow()]

    def declare(self, first: int, n: int) -> list[Outcome]:
        """A gap that the device tells of; what of it is in the log already stays as it is.

        A gap ahead of the log waits for nothing: what lies before it has come by now, or never does.
        """
        end = first + n
        if end <= self.next:
            return []
        outcomes: list[Outcome] = []
        while self._ahead and min(self._ahead) < first:
            outcomes += [self._hole(min(self._ahead), "never came"), *self._follow()]
        if first > self.next:
            outcomes.append(self._hole(first, "never came"))
        if end > self.next:
            outcomes.append(self._hole(end, "declared"))
        return [*outcomes, *self._follow(end)]

    def expire(self, now: float, patience: float) -> list[Outcome]:
        """Give up what has been missing for too long."""
        outcomes: list[Outcome] = []
        while self._ahead and now - self._oldest() >= patience:
            outcomes += [self._hole(min(self._ahead), "never came"), *self._follow()]
        return outcomes

    def close(self, n: int) -> list[Outcome]:
        """The log ends after `n` samples: all that is missing before is a gap."""
        outcomes = self.expire(float("inf"), 0.0)
        if n > self.next:
            outcomes.append(self._hole(n, "never came"))
        return outcomes

    @property
    def reach(self) -> int:
        """Index behind all that has come, what waits ahead too."""
        return max([self.next, *(first + n for first, (_, n, _) in self._ahead.items())])

    def differs(self, first: int, n: int, samples: bytes) -> range | None:
        """Where a chunk overlaps one that waits ahead, and is another."""
        for at, (_, length, waiting) in self._ahead.items():
            begin, end = max(first, at), min(first + n, at + length)
            if begin < end and self.cut(samples, first, begin, end) != self.cut(waiting, at, begin, end):
                return range(begin, end)
        return None

    def waits(self, first: int, n: int) -> bool:
        """Whether a chunk of that place waits ahead already."""
        return first in self._ahead and self._ahead[first][1] >= n

    @property
    def chunks_waiting(self) -> int:
        """Chunks that wait ahead."""
        return len(self._ahead)

    @property
    def since(self) -> float | None:
        """When the first of what waits ahead came."""
        return self._oldest() if self._ahead else None

    def _oldest(self) -> float:
        return min(came for came, _, _ in self._ahead.values())

    def _follow(self, gap: int = 0) -> list[Outcome]:
        """What waited and fits by now; the end of a gap that some of it may lie in."""
        outcomes: list[Outcome] = []
        for first in sorted(self._ahead):
            if first > self.next:
                break
            _, n, samples = self._ahead.pop(first)
            self.waiting -= len(samples)
            if first < gap:
                late = min(gap - first, n)
                outcomes.append(Late(first, late, samples[: late * self.width]))
            outcomes += self._place(first, n, samples)
        return outcomes

    def _place(self, first: int, n: int, samples: bytes) -> list[Outcome]:
        """A chunk that begins within the log, or at its end."""
        known = self.next - first
        return [self._add(self.next, n - known, samples[known * self.width :])] if known < n else []

    def _add(self, first: int, n: int, samples: bytes) -> Added:
        self.next = first + n
        return Added(first, n, samples)

    def _hole(self, end: int, reason: Literal["declared", "never came"]) -> Hole:
        hole = Hole(self.next, end - self.next, reason)
        self.next = end
        return hole

    def cut(self, samples: bytes, first: int, begin: int, end: int) -> bytes:
        return samples[(begin - first) * self.width : (end - first) * self.width]

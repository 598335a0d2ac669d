"""One moment of the log, and when streams are next due."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field

from ectopy.alarms.alarm import AlarmChanged
from ectopy.alarms.notices import Notice
from ectopy.alarms.state import NEVER, Due, Stream

Output = AlarmChanged | Notice


@dataclass(slots=True)
class Now:
    """One moment, and what it gives.

    told_us : when what a finding tells was known, by its stream's own time; None where the clock alone counts
    """

    at_us: int
    told_us: int | None = None
    out: list[Output] = field(default_factory=list)

    def after(self, wait_us: int) -> Due:
        """So long from now."""
        return Due(self.at_us + wait_us, NEVER if self.told_us is None else self.told_us + wait_us)

    def past(self, due: Due) -> bool:
        """It is due."""
        return due.clock_us <= self.at_us or (self.told_us is not None and due.told_us <= self.told_us)


class Timers:
    """Finds the stream that is due first, without a look at all of them."""

    def __init__(self, streams: Mapping[str | None, Stream]):
        self._streams = streams
        self._heap: list[tuple[int, bool, str]] = []
        for name, stream in streams.items():
            self._push(name, stream)

    @property
    def first(self) -> tuple[int, str | None] | None:
        """When, and which; None if nothing will be due."""
        while self._heap:
            due_us, service, named = self._heap[0]
            name = None if service else named
            stream = self._streams.get(name)
            if stream is not None and stream.due_us == due_us:
                return due_us, name
            heapq.heappop(self._heap)  # it was moved, or is gone
        return None

    def set(self, name: str | None, stream: Stream) -> None:
        """Note when the stream is next due."""
        dues = [case.due.clock_us for case in stream.cases.values() if case.due]
        dues += [due.clock_us for due in stream.held_back.values() if due.clock_us != NEVER]
        dues += [pause.until_us for pause in stream.pauses.values()]
        for opened in stream.opens():
            dues += [due_us for due_us in (opened.remind_us, opened.escalate_us) if due_us is not None]
        due_us = min(dues, default=None)
        if due_us != stream.due_us:
            stream.due_us = due_us
            self._push(name, stream)

    def _push(self, name: str | None, stream: Stream) -> None:
        if stream.due_us is not None:
            heapq.heappush(self._heap, (stream.due_us, name is None, name or ""))

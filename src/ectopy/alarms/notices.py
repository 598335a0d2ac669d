"""Notices go out few at a time: at most 5 in any 60 s, and what has to wait is told together.

A kind's alarms are gathered for 1 s, doubled for each notice of the last minute that was as urgent, 16 s at most: a
storm is told in a few notices that grow. The last places of a minute are kept for what is more urgent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ectopy.alarms.rules import PRIORITIES, Priority

NoticeKind = Literal["raised", "escalated", "reminder", "resolved"]

_KINDS: tuple[NoticeKind, ...] = ("raised", "escalated", "reminder", "resolved")  # the more urgent first
_GATHER_US = 1_000_000
_WINDOW_US = 60_000_000
_MOST, _MOST_RAISED, _MOST_OTHERS = 5, 4, 3  # in a window: with high priority; raised and escalated; others

Look = Callable[[NoticeKind, int], Priority | None]  # an alarm's priority, None where there is nothing to tell any more


@dataclass(frozen=True, slots=True)
class Notice:
    """What people are to be told, once.

    key : one for each notice, for ever
    level : 2 if nobody acknowledged it (`escalated`), else 1
    priority : the highest of its alarms
    alarms : the most urgent first
    """

    key: str
    at_us: int
    kind: NoticeKind
    level: int
    priority: Priority
    alarms: tuple[int, ...]


@dataclass(slots=True)
class Waiting:
    """Alarms of one kind and priority that are still to be told, since the first came."""

    kind: NoticeKind
    priority: Priority
    since_us: int
    alarms: list[int]


@dataclass(slots=True)
class Outgoing:
    """State of `Notices`."""

    notices: int = 0  # so far
    sent: list[tuple[int, Priority]] = field(default_factory=list)  # in the last minute: when, how urgent
    waiting: list[Waiting] = field(default_factory=list)


class Notices:
    """Alarms in, notices out when they are due."""

    def __init__(self, state: Outgoing):
        self.state = state

    def add(self, kind: NoticeKind, alarm: int, priority: Priority, at_us: int) -> None:
        """Have an alarm told; once, if it waits already."""
        self._forget(at_us)
        for waiting in self.state.waiting:
            if waiting.kind == kind and waiting.priority == priority:
                if alarm not in waiting.alarms:
                    waiting.alarms.append(alarm)
                return
        self.state.waiting.append(Waiting(kind, priority, at_us, [alarm]))

    @property
    def due_us(self) -> int | None:
        """When the next notice may go out; None if nothing waits."""
        return min(map(self._ready_us, self.state.waiting), default=None)

    def send(self, at_us: int, look: Look) -> list[Notice]:
        """The notices that are due; what there is nothing to tell of any more is left out."""
        self._forget(at_us)
        notices = []
        while ready := [waiting for waiting in self.state.waiting if self._ready_us(waiting) <= at_us]:
            kind = min(ready, key=lambda w: (PRIORITIES.index(w.priority), _KINDS.index(w.kind))).kind
            alarms = self._take(kind, look)
            if not alarms:
                continue
            self.state.notices += 1
            priority = min(alarms.values(), key=PRIORITIES.index)
            ordered = sorted(alarms, key=lambda alarm: (PRIORITIES.index(alarms[alarm]), alarm))
            level = 2 if kind == "escalated" else 1
            key = f"{at_us}-{self.state.notices}"  # another service, or data begun anew, gives no key again
            notices.append(Notice(key, at_us, kind, level, priority, tuple(ordered)))
            self.state.sent.append((at_us, priority))
        return notices

    def _take(self, kind: NoticeKind, look: Look) -> dict[int, Priority]:
        """All that waits of a kind, with its priority by now."""
        taken = [waiting for waiting in self.state.waiting if waiting.kind == kind]
        self.state.waiting = [waiting for waiting in self.state.waiting if waiting.kind != kind]
        alarms: dict[int, Priority] = {}
        for waiting in taken:
            for alarm in waiting.alarms:
                priority = waiting.priority if kind == "resolved" else look(kind, alarm)
                if priority is not None:
                    alarms[alarm] = priority
        return alarms

    def _ready_us(self, waiting: Waiting) -> int:
        sent, urgency = self.state.sent, PRIORITIES.index(waiting.priority)
        as_urgent = sum(PRIORITIES.index(priority) <= urgency for _, priority in sent)
        ready_us = waiting.since_us + (_GATHER_US << min(as_urgent, _MOST - 1))
        if waiting.kind in ("reminder", "resolved"):
            most = _MOST_OTHERS
        else:
            most = _MOST if waiting.priority == "high" else _MOST_RAISED
        if len(sent) < most:
            return ready_us
        return max(ready_us, sent[-most][0] + _WINDOW_US + 1)

    def _forget(self, at_us: int) -> None:
        if self.state.sent and self.state.sent[0][0] < at_us - _WINDOW_US:
            self.state.sent = [(when, how) for when, how in self.state.sent if when >= at_us - _WINDOW_US]

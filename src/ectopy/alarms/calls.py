"""Who is told of an alarm, and told again: raised, reminder, escalated, resolved."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ectopy.alarms.notices import Notice, NoticeKind, Notices
from ectopy.alarms.rules import Priority
from ectopy.alarms.state import Open, State

REMIND_US: Mapping[Priority, int] = {"high": 120_000_000, "medium": 300_000_000}
MOST_REMINDERS = 10
ESCALATE_US = 180_000_000
_VIEWER_GONE_US = 60_000_000


class Calls:
    """Plans the notices of open alarms.

    wanted : people are to be notified of this alarm: its rule says so, and it is neither late, acknowledged nor paused
    """

    def __init__(self, state: State, wanted: Callable[[Open], bool]):
        self._state = state
        self._wanted = wanted
        self.notices = Notices(state.outgoing)

    def raised(self, opened: Open, before: Open | None, at_us: int) -> None:
        """A new alarm, in place of a latched one or not: waiting for somebody goes on where that began."""
        if before is not None and not before.escalated:
            opened.escalate_us = before.escalate_us
        self.plan(opened, at_us)
        viewed_us = self._state.viewed_us
        if opened.escalate_us is not None and viewed_us is not None and at_us - viewed_us > _VIEWER_GONE_US:
            self._escalate(opened, at_us)

    def plan(self, opened: Open, at_us: int) -> None:
        """Set, or unset, what is due next, after anything that bears on it has changed."""
        alarm = opened.alarm
        if not self._wanted(opened):
            opened.remind_us = opened.escalate_us = None
            return
        if not opened.sent:
            self.notices.add("raised", alarm.id, alarm.priority, at_us)
        if alarm.priority != "high" or opened.escalated:
            opened.escalate_us = None
        elif opened.escalate_us is None:
            opened.escalate_us = at_us + ESCALATE_US
        every_us = REMIND_US.get(alarm.priority)
        if every_us is None or not opened.sent or opened.reminders >= MOST_REMINDERS:
            opened.remind_us = None
        elif opened.remind_us is None:
            opened.remind_us = at_us + every_us

    def ring(self, opened: Open, at_us: int) -> None:
        """Escalate or remind where that is due; after an outage once, not for each time that was missed."""
        if opened.escalate_us is not None and opened.escalate_us <= at_us:
            self._escalate(opened, at_us)
        elif opened.remind_us is not None and opened.remind_us <= at_us:
            opened.reminders += 1
            opened.remind_us = None
            self.notices.add("reminder", opened.alarm.id, opened.alarm.priority, at_us)
            self.plan(opened, at_us)

    def over(self, opened: Open, at_us: int) -> None:
        """An alarm is off: tell those who were told of it."""
        if opened.sent:
            self.notices.add("resolved", opened.alarm.id, opened.alarm.priority, at_us)

    def send(self, at_us: int, find: Callable[[int], Open | None]) -> tuple[list[Notice], list[Open]]:
        """The notices that are due, and the alarms whose plan that has changed."""

        def look(kind: NoticeKind, alarm: int) -> Priority | None:
            opened = find(alarm)
            return opened.alarm.priority if opened and self._wanted(opened) else None

        notices = self.notices.send(at_us, look)
        told = [find(alarm) for notice in notices if notice.kind == "raised" for alarm in notice.alarms]
        opens = [opened for opened in told if opened is not None]
        for opened in opens:
            opened.sent = True
            self.plan(opened, at_us)
        return notices, opens

    def _escalate(self, opened: Open, at_us: int) -> None:
        opened.escalated = True
        opened.remind_us = None  # this tells it again; the next reminder counts from here
        self.notices.add("escalated", opened.alarm.id, opened.alarm.priority, at_us)
        self.plan(opened, at_us)

"""The alarm engine: a pure fold over a log of inputs. No clock, no I/O: the same log gives the same alarms and notices.

A finding or condition that lasts makes a *case* of each rule it reaches. A case that has lasted `on_s` raises the
alarm, unless something holds it back; one that has been gone for `off_s` ends it: on -> latched -> off, or on -> off.
Notices of open alarms are planned beside that and leave through `Notices`, which never lets out more than a few.
"""

from __future__ import annotations

from ectopy.alarms.checks import check
from ectopy.alarms.inputs import (
    Acknowledged,
    AlarmPaused,
    AudioPaused,
    ConditionChanged,
    EpochEnded,
    Found,
    Input,
    Resumed,
    RulesChanged,
    Tick,
    Viewed,
)
from ectopy.alarms.moment import Now, Output
from ectopy.alarms.rules import CODES_OF
from ectopy.alarms.state import Holding, Pause, State
from ectopy.alarms.ward import Ward

LATE_US = 30_000_000  # what is told later than this nobody is notified of


class Desk:
    """Takes one input after another and says what changed.

    state : goes on from there; it is this desk's from then on
    """

    def __init__(self, state: State | None = None):
        self.state = State() if state is None else state
        self._ward = Ward(self.state)

    @property
    def due_us(self) -> int | None:
        """When the next `Tick` is wanted; None: not until something else happens."""
        first = self._ward.timers.first
        dues = (first and first[0], self._ward.calls.notices.due_us)
        return min((due_us for due_us in dues if due_us is not None), default=None)

    def step(self, given: Input) -> list[Output]:
        """What an input changes. A smaller `at_us` than one before counts as the largest so far.

        Raises
        ------
        AlarmError
            For what can't be: an alarm that isn't open, no author, a rule or a pause out of range. Nothing has changed.
        """
        now = Now(max(given.at_us, self.state.clock_us))
        check(given, now.at_us, self._ward.find)
        if isinstance(given, Tick) and ((due_us := self.due_us) is None or now.at_us < due_us):
            return []
        self.state.clock_us = now.at_us
        self._ward.pass_time(now)
        self._take(now, given)
        self._send(now)
        return now.out

    def _take(self, now: Now, given: Input) -> None:
        match given:
            case Found():
                self._found(now, given)
            case ConditionChanged():
                self._condition(now, given)
            case EpochEnded(_, name, epoch):
                stream = self._ward.stream(name)
                for finding in [finding for finding, held in stream.holding.items() if held.epoch == epoch]:
                    self._ward.end(now, name, stream, finding, now.at_us)
                self._ward.file(name, stream)
            case Acknowledged(_, alarm, author):
                self._ward.acknowledge(now, alarm, author)
            case AudioPaused(_, name, author, reason, until_us):
                self._pause(now, name, "audio", Pause(until_us, author, reason))
            case AlarmPaused(_, name, author, reason, until_us):
                self._pause(now, name, "alarm", Pause(until_us, author, reason))
            case Resumed(_, name, what, _):
                self._pause(now, name, what, None)
            case RulesChanged(_, name, _, changes):
                self._ward.change_rules(now, name, changes)
            case Viewed():
                self.state.viewed_us = now.at_us
            case Tick():
                pass

    def _found(self, now: Now, given: Found) -> None:
        finding, name = given.finding, given.stream
        if finding.name not in CODES_OF:
            return
        now.told_us = told_us = given.start_us + round((finding.told_s - finding.start_s) * 1e6)
        stream = self._ward.stream(name)
        self._ward.ring(now, name, stream)
        held = stream.holding.get(finding.name)
        if held is not None and held.epoch is not None and given.epoch < held.epoch:
            return  # of a run of the device that is over
        if held is None or held.epoch != given.epoch or held.start_s < finding.start_s or given.end_us is None:
            late = (given.seen_us or given.at_us) - told_us > LATE_US
            held = Holding(given.start_us, finding.start_s, given.epoch, finding.value, late, "")
            known_us = told_us if given.end_us is None else given.end_us
            self._ward.begin(now, name, stream, finding.name, held, known_us)
        if given.end_us is not None and held.start_s == finding.start_s:  # not of one that another has replaced
            self._ward.end(now, name, stream, finding.name, given.end_us)
        self._ward.file(name, stream)

    def _condition(self, now: Now, given: ConditionChanged) -> None:
        name, on = given.name, given.on
        if name == "gateway down":
            behind = self.state.behind
            for each in given.streams:
                if on != (each in behind):
                    self._ward.hold_back(now, each, name, on)
                    (behind.append if on else behind.remove)(each)
            if behind and not on:
                return
        stream = self._ward.stream(given.stream)
        if on:
            holding = Holding(given.since_us, 0.0, None, None, False, given.reason)
            self._ward.begin(now, given.stream, stream, name, holding, now.at_us)
        elif name in stream.holding:
            self._ward.end(now, given.stream, stream, name, given.since_us)
        self._ward.file(given.stream, stream)

    def _pause(self, now: Now, name: str | None, what: str, pause: Pause | None) -> None:
        stream = self._ward.stream(name)
        if pause is not None:
            stream.pauses[what] = pause
        else:
            stream.pauses.pop(what, None)
        self._ward.signal(now, name)
        self._ward.file(name, stream)

    def _send(self, now: Now) -> None:
        notices, told = self._ward.calls.send(now.at_us, self._ward.find)
        now.out.extend(notices)
        for opened in told:
            name = opened.alarm.stream
            self._ward.file(name, self._ward.stream(name))

"""The streams: what holds there, which alarm it raises, and when that ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ectopy.alarms.alarm import Alarm, AlarmChanged, Signal
from ectopy.alarms.calls import Calls
from ectopy.alarms.moment import Now, Timers
from ectopy.alarms.rules import CODES_OF, COVERED_BY, HELD_BACK_BY, ORDER, Changes, Kind, Rule, rules_for
from ectopy.alarms.state import UNTIL_TOLD, Case, Holding, Open, State, Stream

_US = 1_000_000
_HOLD_BACK_US = 5 * _US  # after its cause is gone
_JOIN_US = _US // 2  # a finding with another value is told in the second that ends the old one


class Ward:
    """All streams with something on. Whoever changes one files it afterwards."""

    def __init__(self, state: State):
        self._state = state
        self._rules = {name: rules_for(stream.changes) for name, stream in state.streams.items() if stream.changes}
        self._where = {
            opened.alarm.id: (name, opened.alarm.code)
            for name, stream in state.streams.items()
            for opened in stream.opens()
        }
        self.calls = Calls(state, self._wanted)
        self.timers = Timers(state.streams)

    def stream(self, name: str | None) -> Stream:
        """A stream; a new one if nothing was on."""
        return self._state.streams.setdefault(name, Stream())

    def find(self, alarm: int) -> Open | None:
        """An alarm that isn't off."""
        if alarm not in self._where:
            return None
        name, code = self._where[alarm]
        return next(opened for opened in self._opens(self._state.streams[name], code) if opened.alarm.id == alarm)

    def file(self, name: str | None, stream: Stream) -> None:
        """Note when a stream is next due, or forget it if nothing is on."""
        if stream.idle:
            self._state.streams.pop(name, None)
        else:
            self.timers.set(name, stream)

    def pass_time(self, now: Now) -> None:
        """Do what is due by the clock, the earliest first."""
        while (first := self.timers.first) is not None and first[0] <= now.at_us:
            name = first[1]
            stream = self._state.streams[name]
            for what in [what for what, pause in stream.pauses.items() if pause.until_us <= now.at_us]:
                del stream.pauses[what]
                self.signal(now, name)
            self.ring(now, name, stream)
            self.file(name, stream)

    def ring(self, now: Now, name: str | None, stream: Stream) -> None:
        """Do what is due on a stream, by the clock or by its own time."""
        for cause in [cause for cause, due in stream.held_back.items() if now.past(due)]:
            del stream.held_back[cause]
        for code in _ordered(stream.cases):
            case = stream.cases[code]
            if case.due is None or not now.past(case.due):
                continue
            case.due = None
            if case.gone_us is None:
                case.ripe = True
            else:
                self._close(now, name, stream, code)
        for opened in stream.opens():
            self.calls.ring(opened, now.at_us)
        self._settle(now, name, stream)

    def begin(self, now: Now, name: str | None, stream: Stream, finding: str, holding: Holding, known_us: int) -> None:
        """A finding or condition begins, or has another value. known_us : until when it is known to have lasted."""
        stream.holding[finding] = holding
        if finding == "lead off":
            stream.held_back[finding] = UNTIL_TOLD
        for code in CODES_OF[finding]:
            self._weigh(now, name, stream, self._rule(name, code), holding, known_us)
        self._settle(now, name, stream)

    def end(self, now: Now, name: str | None, stream: Stream, finding: str, end_us: int) -> None:
        """What held has ended, at `end_us`."""
        del stream.holding[finding]
        if finding == "lead off":
            stream.held_back[finding] = now.after(_HOLD_BACK_US)
        for code in CODES_OF[finding]:
            if code in stream.cases and stream.cases[code].gone_us is None:
                _gone(now, stream.cases[code], self._rule(name, code), end_us)

    def hold_back(self, now: Now, name: str, cause: str, on: bool) -> None:
        """Something beyond the stream causes, or no longer causes, what would raise alarms there."""
        stream = self.stream(name)
        stream.held_back[cause] = UNTIL_TOLD if on else now.after(_HOLD_BACK_US)
        self.file(name, stream)

    def acknowledge(self, now: Now, alarm: int, author: str) -> None:
        """Somebody has seen to it: a latched alarm is off, one that is on will be when it ends. The first counts."""
        opened = self.find(alarm)
        if opened is None or opened.alarm.acknowledged:
            return
        name, code = self._where[alarm]
        stream = self._state.streams[name]
        fields = {"acknowledged": True, "acknowledged_by": author, "acknowledged_us": now.at_us}
        if opened.alarm.presence == "latched":
            self._off(now, stream.latched.pop(code), **fields)
        else:
            self._change(now, opened, **fields)
            self.calls.plan(opened, now.at_us)
        self.file(name, stream)

    def signal(self, now: Now, name: str | None) -> None:
        """A pause of a stream, or (None) of all, began or ended."""
        for each in [name] if name is not None else list(self._state.streams):
            stream = self._state.streams[each]
            for opened in stream.opens():
                signal = self._signal(each, opened.alarm.type)
                if signal != opened.alarm.signal:
                    self._change(now, opened, signal=signal)
                    self.calls.plan(opened, now.at_us)
            self._settle(now, each, stream)
            self.timers.set(each, stream)

    def change_rules(self, now: Now, name: str, changes: Changes) -> None:
        """Other rules for a stream, at once."""
        stream = self.stream(name)
        before, after = self._rules.pop(name, rules_for({})), rules_for(changes)
        stream.changes = {code: dict(change) for code, change in changes.items()}
        if changes:
            self._rules[name] = after
        for code, rule in after.items():
            if rule != before[code]:
                self._apply(now, name, stream, rule)
        self._settle(now, name, stream)
        self.file(name, stream)

    def _apply(self, now: Now, name: str, stream: Stream, rule: Rule) -> None:
        code, holding, case = rule.code, stream.holding.get(rule.finding), stream.cases.get(rule.code)
        if case is not None:
            lasting = holding if case.gone_us is None else None
            if not rule.reached(lasting.value if lasting else case.value):
                del stream.cases[code]
                if case.open:
                    self._off(now, case.open, ended_us=now.at_us if lasting else case.gone_us)
        if code in stream.latched and not rule.enabled:
            self._off(now, stream.latched.pop(code))
        for opened in self._opens(stream, code):
            if opened.alarm.priority != rule.priority:
                self._change(now, opened, priority=rule.priority)
            self.calls.plan(opened, now.at_us)
        if holding is not None:
            if case is not None and case.open is None and case.gone_us is None:
                _ripen(now, case, rule, now.at_us)
            self._weigh(now, name, stream, rule, holding, now.at_us)

    def _weigh(self, now: Now, name: str | None, stream: Stream, rule: Rule, holding: Holding, known_us: int) -> None:
        """What a finding's beginning, or another value of it, means to a rule."""
        case, since_us = stream.cases.get(rule.code), holding.start_us
        if not rule.reached(holding.value):
            if case is not None and case.gone_us is None:
                _gone(now, case, rule, holding.start_us)
            return
        if case is not None and case.late and not holding.late:  # the stream has caught up, and it lasts
            if case.gone_us is None:
                since_us, case.gone_us = case.since_us, known_us
            self._close(now, name, stream, rule.code)
            case = None
        if case is None:
            case = Case(since_us, holding.epoch, holding.late, holding.value, holding.reason)
            stream.cases[rule.code] = case
            _ripen(now, case, rule, known_us)
        elif case.gone_us is not None:
            case.gone_us = case.due = None
            if not case.ripe:
                _ripen(now, case, rule, known_us)
        if holding.value is not None and (case.value is None or rule.worse(holding.value, case.value)):
            case.value = holding.value
        case.reason = holding.reason or rule.reason(case.value)
        if case.open and (case.open.alarm.value, case.open.alarm.reason) != (case.value, case.reason):
            self._change(now, case.open, value=case.value, reason=case.reason)

    def _settle(self, now: Now, name: str | None, stream: Stream) -> None:
        """Raise what is ripe and not held back."""
        for code in _ordered(stream.cases):
            case = stream.cases[code]
            if case.ripe and case.open is None and case.gone_us is None:
                rule = self._rule(name, code)
                if not self._held_back(name, stream, rule, case):
                    self._raise(now, name, stream, rule, case)

    def _held_back(self, name: str | None, stream: Stream, rule: Rule, case: Case) -> bool:
        if self._signal(name, rule.type) == "alarm paused" or HELD_BACK_BY.get(rule.code) in stream.held_back:
            return True
        covers = (stream.cases.get(code) for code in COVERED_BY.get(rule.code, ()))
        return any(cover.open and (case.late or not cover.late) for cover in covers if cover)

    def _raise(self, now: Now, name: str | None, stream: Stream, rule: Rule, case: Case) -> None:
        before = None if case.late else stream.latched.pop(rule.code, None)
        if before is not None:  # the new episode takes its place, and latches in its turn
            self._change(now, before, presence="off")
            del self._where[before.alarm.id]
        self._state.alarms += 1
        alarm = Alarm(
            id=self._state.alarms,
            stream=name,
            epoch=case.epoch,
            code=rule.code,
            type=rule.type,
            priority=rule.priority,
            presence="on",
            acknowledged=False,
            acknowledged_by=None,
            acknowledged_us=None,
            onset_us=case.since_us,
            told_us=now.at_us,
            ended_us=None,
            late=case.late,
            signal=self._signal(name, rule.type),
            reason=case.reason,
            value=case.value,
        )
        case.open = Open(alarm)
        self._where[alarm.id] = (name, rule.code)
        now.out.append(AlarmChanged(alarm))
        self.calls.raised(case.open, before, now.at_us)

    def _close(self, now: Now, name: str | None, stream: Stream, code: str) -> None:
        """A case is over, and with it its alarm: latched or off."""
        case = stream.cases.pop(code)
        if case.open is None:
            return
        alarm = case.open.alarm
        if self._rule(name, code).latches and not alarm.acknowledged and not alarm.late:
            stream.latched[code] = case.open
            self._change(now, case.open, presence="latched", ended_us=case.gone_us)
        else:
            self._off(now, case.open, ended_us=case.gone_us)

    def _off(self, now: Now, opened: Open, **fields: Any) -> None:
        self._change(now, opened, presence="off", **fields)
        del self._where[opened.alarm.id]
        self.calls.over(opened, now.at_us)

    def _change(self, now: Now, opened: Open, **fields: Any) -> None:
        opened.alarm = replace(opened.alarm, **fields)
        now.out.append(AlarmChanged(opened.alarm))

    def _opens(self, stream: Stream, code: str) -> list[Open]:
        case = stream.cases.get(code)
        return [opened for opened in (stream.latched.get(code), case and case.open) if opened]

    def _rule(self, name: str | None, code: str) -> Rule:
        return self._rules_of(name)[code]

    def _rules_of(self, name: str | None) -> Mapping[str, Rule]:
        return self._rules.get(name) or rules_for({})

    def _signal(self, name: str | None, kind: Kind) -> Signal:
        streams = self._state.streams
        paused = {what for each in (name, None) if each in streams for what in streams[each].pauses}
        if kind == "physiological" and "alarm" in paused:
            return "alarm paused"
        return "audio paused" if "audio" in paused else "on"

    def _wanted(self, opened: Open) -> bool:
        """People are to be notified of it."""
        alarm = opened.alarm
        told = alarm.late or alarm.acknowledged or alarm.signal == "alarm paused"
        return not told and self._rule(alarm.stream, alarm.code).notify


def _ripen(now: Now, case: Case, rule: Rule, known_us: int) -> None:
    """Whether it has lasted for `on_s`, or when it will have."""
    wait_us = case.since_us + round(rule.on_s * _US) - known_us
    case.ripe = wait_us <= 0
    case.due = None if case.ripe else now.after(wait_us)


def _gone(now: Now, case: Case, rule: Rule, end_us: int) -> None:
    case.gone_us = max(end_us, case.since_us)
    case.due = now.after(round(rule.off_s * _US) if case.open else _JOIN_US)


def _ordered(cases: Mapping[str, Case]) -> list[str]:
    return sorted(cases, key=ORDER.__getitem__) if len(cases) > 1 else list(cases)

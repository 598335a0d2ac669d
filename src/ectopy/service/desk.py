"""The alarms of the service: what the desk takes in is logged, and kept in one transaction with what comes of it.

Findings come from the judge's thread, people's acts and the passing of time from the event loop; a lock puts them in
one order, that of the log. After a restart the log gives the same alarms again, and nobody is told of them twice.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

import orjson

from ectopy import alarms
from ectopy.alarms import (
    Alarm,
    AlarmChanged,
    AlarmPaused,
    AudioPaused,
    ConditionChanged,
    Desk,
    Found,
    Input,
    Notice,
    State,
)
from ectopy.errors import AlarmError, RecordError, StateError
from ectopy.service.desk_json import AGAIN, NAMES, alarm_json, found_json, read_input, rule_out
from ectopy.service.notify import Targets, Told, render, utc_us
from ectopy.service.reading import FINDING, Reader
from ectopy.service.rows import AlarmRow, AlarmsRow, DeskRow, LogRow, NoticeRow, Row, microseconds, utc
from ectopy.service.runs import ToldAgain
from ectopy.service.store import Store
from ectopy.wire import AlarmOut, PauseOut, RuleOut

_log = logging.getLogger(__name__)
_EVERY = 500  # inputs between two of the desk's states that are kept
SILENT = "stream silent"
_OVER = 5000  # alarms whose end may still be to be told

Tell = Callable[[list[LogRow], list[AlarmRow]], None]


class AlarmDesk:
    """One for the service. Every method may be called from any thread.

    tell : called on the event loop with findings and changed alarms that are kept
    wake : there are new notifications
    """

    def __init__(self, store: Store, reader: Reader, targets: Targets, tell: Tell, wake: Callable[[], None]):
        self._store, self._targets, self._tell, self._wake = store, targets, tell, wake
        self._lock = threading.Lock()
        self._change = reader.newest_change()
        self._desk, self._upto = _folded(reader)
        self._logged = reader.newest_input()
        state = self._desk.state
        state.alarms = self._raised = max(state.alarms, reader.newest_alarm())  # by other rules it may have been more
        opens = [opened.alarm for stream in state.streams.values() for opened in stream.opens()]
        self._open = {alarm.id: _words(alarm) for alarm in opens}
        self._over: OrderedDict[int, Told] = OrderedDict()  # the last ones that were open
        for alarm in {alarm for waiting in state.outgoing.waiting for alarm in waiting.alarms} - self._open.keys():
            with suppress(RecordError):  # raised by rules that are no more
                self._over[alarm] = _kept_words(reader.alarm(alarm))
        self._clock = state.clock_us, time.monotonic()

    @property
    def behind(self) -> list[str]:
        """Streams of gateways that are down."""
        with self._lock:
            return [*self._desk.state.behind]

    @property
    def lasting(self) -> list[str]:
        """What is wrong with the service itself."""
        with self._lock:
            own = self._desk.state.streams.get(None)
            return [*own.holding] if own else []

    @property
    def silent(self) -> list[str]:
        """Streams that are known to be silent."""
        with self._lock:
            return [name for name, stream in self._desk.state.streams.items() if name and SILENT in stream.holding]

    def take(
        self, inputs: Iterable[Input | ToldAgain], kept: Callable[[], None] | None = None, rows: Sequence[Row] = ()
    ) -> None:
        """Take inputs in, and have them kept with what comes of them and with `rows`; then `kept` is called, behind all
        that came before, even where there is nothing to keep.

        Raises
        ------
        AlarmError
            For an act that can't be; nothing has changed then. Findings and conditions can always be.
        """
        with self._lock:
            more: list[AlarmsRow] = []
            changed: list[AlarmRow] = []
            found: list[LogRow] = []
            notices: list[Notice] = []
            for one in inputs:
                given = self._stamped(one)
                outputs = self._desk.step(given.found if isinstance(given, ToldAgain) else given)
                self._clock = self._desk.state.clock_us, time.monotonic()
                more.append(row := self._log(given))
                found += [row] if row.kind == FINDING else []
                for output in outputs:
                    if isinstance(output, AlarmChanged):
                        changed.append(self._changed(output.alarm))
                    else:
                        notices.append(output)
            for notice in notices:
                more += self._notices(notice)
            if self._logged - self._upto >= _EVERY:
                more.append(self._saved())
            if kept is None and not (rows or more):
                return

            def told() -> None:
                if kept is not None:
                    kept()
                if found or changed:
                    self._tell(found, changed)
                if notices:
                    self._wake()

            self._store.keep([*rows, *more, *changed], told)

    def pass_time(self, now_us: int) -> None:
        """Time has passed, where that matters."""
        with self._lock:
            due_us = self._desk.due_us
            late = due_us is not None and due_us <= self._now(now_us)
        if late:
            self.take([alarms.Tick(now_us)])

    def close(self) -> None:
        """Keep the state, so that the next start is quick."""
        with self._lock:
            if self._logged > self._upto:
                self._store.keep([self._saved()], lambda: None)

    def rules(self, stream: str | None) -> list[RuleOut]:
        """Those that hold for a stream; None: where there is none of its own."""
        with self._lock:
            known = self._desk.state.streams.get(stream)
            changes = dict(known.changes) if known else {}
        return [rule_out(rule, changed=bool(changes.get(code))) for code, rule in alarms.rules_for(changes).items()]

    def pauses(self) -> list[PauseOut]:
        with self._lock:
            return [
                PauseOut(
                    what="audio" if what == "audio" else "alarm",
                    stream=name,
                    author=pause.author,
                    reason=pause.reason,
                    until_at=utc(pause.until_us),
                )
                for name, stream in self._desk.state.streams.items()
                for what, pause in stream.pauses.items()
            ]

    def _now(self, utc_us: int) -> int:
        """UTC, or where that was set back, what it would be: what is due must not wait for it to come again."""
        clock_us, steady_s = self._clock
        return max(utc_us, clock_us + round((time.monotonic() - steady_s) * 1e6))

    def _stamped(self, given: Input | ToldAgain) -> Input | ToldAgain:
        """With the time of the desk's own clock: all times but those of the signal."""
        if isinstance(given, ToldAgain):
            return ToldAgain(self._seen(given.found))
        if isinstance(given, Found):
            return self._seen(given)
        at_us = self._now(given.at_us)
        ahead_us = at_us - given.at_us
        match given:
            case ConditionChanged(since_us=since_us):
                return replace(given, at_us=at_us, since_us=since_us + ahead_us)
            case AudioPaused(until_us=until_us) | AlarmPaused(until_us=until_us):
                return replace(given, at_us=at_us, until_us=until_us + ahead_us)
        return replace(given, at_us=at_us)

    def _seen(self, found: Found) -> Found:
        return replace(found, at_us=self._now(found.at_us), seen_us=found.at_us)

    def _log(self, given: Input | ToldAgain) -> LogRow:
        self._logged += 1
        if isinstance(given, Found | ToldAgain):
            kind, found = (FINDING, given) if isinstance(given, Found) else (AGAIN, given.found)
            body = found_json(self._logged, found)
            return LogRow(self._logged, found.at_us, kind, found.stream, found.epoch, found.finding.told_s, body)
        stream, epoch = getattr(given, "stream", None), getattr(given, "epoch", None)
        name, body = NAMES[type(given)], orjson.dumps(given).decode()
        return LogRow(self._logged, given.at_us, name, stream, epoch, None, body)

    def _changed(self, alarm: Alarm) -> AlarmRow:
        self._change += 1
        new = alarm.id > self._raised
        self._raised = max(self._raised, alarm.id)
        open_ = alarm.presence != "off"
        if open_:
            self._open[alarm.id] = _words(alarm)
        else:
            self._open.pop(alarm.id, None)
            self._over[alarm.id] = _words(alarm)
            if len(self._over) > _OVER:
                self._over.popitem(last=False)
        body = alarm_json(alarm, self._change)
        return AlarmRow(self._change, alarm.id, alarm.stream, alarm.priority, open_, new, body)

    def _notices(self, notice: Notice) -> Iterator[NoticeRow]:
        told = [known[alarm] for alarm in notice.alarms for known in (self._open, self._over) if alarm in known]
        if not told:
            return
        title, body = render(told, notice.kind)
        # Whoever was told hears that it is over; the outbox leaves out who wasn't.
        for target in self._targets.all if notice.kind == "resolved" else self._targets.at(notice.level):
            yield NoticeRow(
                notice.key,
                target.name,
                notice.alarms,
                notice.kind,
                notice.priority if notice.kind != "resolved" else "none",
                notice.level,
                title,
                body,
                utc_us(),  # the outbox and its notifier know no other clock
            )

    def _saved(self) -> DeskRow:
        self._upto = self._logged
        return DeskRow(self._upto, orjson.dumps(self._desk.state.to_json()).decode())


def _folded(reader: Reader) -> tuple[Desk, int]:
    """The desk as the log has it, and the input whose state is kept. A state of another version is passed over; what a
    person did by rules that are no more is too."""
    saved, upto = reader.desk()
    try:
        desk = Desk(State.from_json(orjson.loads(saved)) if saved else None)
    except StateError as error:
        _log.info("the alarms' log is folded anew", extra={"reason": str(error)})
        desk, upto = Desk(), 0
    for row in reader.alarm_log(after=upto):
        try:
            desk.step(read_input(row))
        except AlarmError as error:
            _log.warning("an input no longer holds", extra={"input": row.id, "reason": str(error)})
    return desk, upto


def _words(alarm: Alarm) -> Told:
    return Told(alarm.stream, alarm.code, alarm.priority, alarm.onset_us, alarm.reason, alarm.presence)


def _kept_words(alarm: AlarmOut) -> Told:
    onset_us = microseconds(alarm.onset_at)
    return Told(alarm.stream, alarm.code, alarm.priority, onset_us, alarm.reason, alarm.presence)

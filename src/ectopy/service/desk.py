"""The alarms of the service: what the desk takes in is logged, and kept in one transaction with what comes of it.

Findings come from the judge's thread, people's acts and the passing of time from the event loop; a lock puts them in
one order, that of the log. After a restart the log gives the same alarms again, and nobody is told of them twice.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import orjson

from ectopy import alarms
from ectopy.alarms import Alarm, AlarmChanged, Desk, Found, Input, Notice, Rule, State
from ectopy.service.notify import Targets, Told, render
from ectopy.service.reading import FINDING, Reader
from ectopy.service.rows import AlarmRow, AlarmsRow, DeskRow, LogRow, NoticeRow, Row, microseconds, utc
from ectopy.service.runs import Again
from ectopy.service.store import Store
from ectopy.verdict import Finding
from ectopy.wire import AlarmOut, FoundOut, PauseOut, RuleOut

_EVERY = 500  # inputs between two of the desk's states that are kept
_KNOWN = 5000  # alarms
_KINDS: dict[str, type[Any]] = {
    "condition": alarms.Condition,
    "epoch ended": alarms.EpochEnded,
    "acknowledged": alarms.Acknowledged,
    "audio paused": alarms.AudioPaused,
    "alarm paused": alarms.AlarmPaused,
    "resumed": alarms.Resumed,
    "rules changed": alarms.RulesChanged,
    "viewed": alarms.Viewed,
    "tick": alarms.Tick,
}
SILENT = "stream silent"
_AGAIN = "finding again"
_NAMES = {kind: name for name, kind in _KINDS.items()}

Tell = Callable[[list[LogRow], list[AlarmRow]], None]


class AlarmDesk:
    """One for the service. Every method may be called from any thread.

    tell : called on the event loop with findings and changed alarms that are kept
    wake : there are new notifications
    """

    def __init__(self, store: Store, reader: Reader, targets: Targets, tell: Tell, wake: Callable[[], None]):
        self._store, self._reader, self._targets, self._tell, self._wake = store, reader, targets, tell, wake
        self._lock = threading.Lock()
        self._change = reader.newest_change()
        saved, self._upto = reader.desk()
        self._desk = Desk(State.from_json(orjson.loads(saved)) if saved else None)
        self._logged = self._upto
        for row in reader.alarm_log(after=self._upto):
            self._desk.step(read_input(row))
            self._logged = row.id
        self._raised = self._desk.state.alarms
        self._known: OrderedDict[int, Alarm] = OrderedDict()  # as they were told last; the store has the others

    @property
    def due_us(self) -> int | None:
        """When `pass_time` is wanted."""
        with self._lock:
            return self._desk.due_us

    @property
    def behind(self) -> list[str]:
        """Streams of gateways that are down."""
        with self._lock:
            return [*self._desk.state.behind]

    @property
    def silent(self) -> list[str]:
        """Streams that are known to be silent."""
        with self._lock:
            return [name for name, stream in self._desk.state.streams.items() if name and SILENT in stream.holding]

    def take(
        self, inputs: Iterable[Input | Again], kept: Callable[[], None] | None = None, rows: Sequence[Row] = ()
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
            for given in inputs:
                outputs = self._desk.step(given.found if isinstance(given, Again) else given)
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
        due_us = self.due_us
        if due_us is not None and due_us <= now_us:
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
        return [rule_out(rule, changed=code in changes) for code, rule in alarms.rules_for(changes).items()]

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

    def _log(self, given: Input | Again) -> LogRow:
        self._logged += 1
        if isinstance(given, Found | Again):
            kind, found = (FINDING, given) if isinstance(given, Found) else (_AGAIN, given.found)
            body = _found_json(self._logged, found)
            return LogRow(self._logged, found.at_us, kind, found.stream, found.epoch, found.finding.told_s, body)
        stream, epoch = getattr(given, "stream", None), getattr(given, "epoch", None)
        name, body = _NAMES[type(given)], orjson.dumps(given).decode()
        return LogRow(self._logged, given.at_us, name, stream, epoch, None, body)

    def _changed(self, alarm: Alarm) -> AlarmRow:
        self._change += 1
        new = alarm.id > self._raised
        self._raised = max(self._raised, alarm.id)
        self._known[alarm.id] = alarm
        self._known.move_to_end(alarm.id)
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)
        body = _alarm_json(alarm, self._change)
        open_ = alarm.presence != "off"
        return AlarmRow(self._change, alarm.id, alarm.stream, alarm.priority, open_, new, body)

    def _notices(self, notice: Notice) -> Iterator[NoticeRow]:
        title, body = render([self._words(alarm) for alarm in notice.alarms], notice.kind)
        for target in self._targets.at(notice.level):
            yield NoticeRow(
                notice.key,
                target.name,
                notice.alarms,
                notice.kind,
                notice.priority if notice.kind != "resolved" else "none",
                notice.level,
                title,
                body,
                notice.at_us,
            )

    def _words(self, alarm: int) -> Told:
        """What is told of an alarm."""
        known = self._known.get(alarm)
        if known is not None:
            return Told(known.stream, known.code, known.priority, known.onset_us, known.reason, known.presence)
        kept = self._reader.alarm(alarm)
        return Told(kept.stream, kept.code, kept.priority, microseconds(kept.onset_at), kept.reason, kept.presence)

    def _saved(self) -> DeskRow:
        self._upto = self._logged
        return DeskRow(self._upto, orjson.dumps(self._desk.state.to_json()).decode())


def read_input(row: LogRow) -> Input:
    """An input as it was logged."""
    if row.kind in (FINDING, _AGAIN):
        told = FoundOut.model_validate_json(row.body)
        finding = Finding(told.name, told.start_s, told.end_s, told.abnormal, told.told_s or 0.0, told.value)
        end_us = None if told.end_at is None else microseconds(told.end_at)
        return Found(row.at_us, told.stream, told.epoch, finding, microseconds(told.start_at), end_us)
    fields = orjson.loads(row.body)
    if row.kind == "condition":
        fields["streams"] = tuple(fields["streams"])
    given: Input = _KINDS[row.kind](**fields)
    return given


def rule_out(rule: Rule, *, changed: bool = False) -> RuleOut:
    """A rule as the API has it."""
    return RuleOut(
        code=rule.code,
        kind=rule.type,
        priority=rule.priority,
        enabled=rule.enabled,
        limit=rule.limit,
        on_s=rule.on_s,
        off_s=rule.off_s,
        latches=rule.latches,
        notify=rule.notify,
        changed=changed,
    )


def _found_json(id_: int, given: Found) -> str:
    finding = given.finding
    return FoundOut(
        id=id_,
        stream=given.stream,
        epoch=given.epoch,
        start_at=utc(given.start_us),
        end_at=None if given.end_us is None else utc(given.end_us),
        **asdict(finding),
    ).model_dump_json()


def _alarm_json(alarm: Alarm, change: int) -> str:
    return AlarmOut(
        id=alarm.id,
        change=change,
        stream=alarm.stream,
        epoch=alarm.epoch,
        code=alarm.code,
        kind=alarm.type,
        priority=alarm.priority,
        presence=alarm.presence,
        signal=alarm.signal,
        acknowledged=alarm.acknowledged,
        acknowledged_by=alarm.acknowledged_by,
        acknowledged_at=None if alarm.acknowledged_us is None else utc(alarm.acknowledged_us),
        onset_at=utc(alarm.onset_us),
        told_at=utc(alarm.told_us),
        ended_at=None if alarm.ended_us is None else utc(alarm.ended_us),
        late=alarm.late,
        reason=alarm.reason,
        value=alarm.value,
    ).model_dump_json()

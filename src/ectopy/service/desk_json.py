"""Inputs and alarms of the desk as JSON: as they are logged, kept and told."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson

from ectopy import alarms
from ectopy.alarms import Alarm, Found, Input, Rule
from ectopy.service.reading import FINDING
from ectopy.service.rows import LogRow, microseconds, utc
from ectopy.verdict import Finding
from ectopy.wire import AlarmOut, FoundOut, RuleOut

AGAIN = "finding again"
_KINDS: dict[str, type[Any]] = {
    "condition": alarms.ConditionChanged,
    "epoch ended": alarms.EpochEnded,
    "acknowledged": alarms.Acknowledged,
    "audio paused": alarms.AudioPaused,
    "alarm paused": alarms.AlarmPaused,
    "resumed": alarms.Resumed,
    "rules changed": alarms.RulesChanged,
    "viewed": alarms.Viewed,
    "tick": alarms.Tick,
}
NAMES = {kind: name for name, kind in _KINDS.items()}


def read_input(row: LogRow) -> Input:
    """An input as it was logged."""
    if row.kind in (FINDING, AGAIN):
        told = FoundOut.model_validate_json(row.body)
        finding = Finding(told.name, told.start_s, told.end_s, told.abnormal, told.told_s or 0.0, told.value)
        end_us = None if told.end_at is None else microseconds(told.end_at)
        seen_us = microseconds(told.seen_at) if told.seen_at else None
        return Found(row.at_us, told.stream, told.epoch, finding, microseconds(told.start_at), end_us, seen_us)
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


def found_json(id_: int, given: Found) -> str:
    finding = given.finding
    return FoundOut(
        id=id_,
        stream=given.stream,
        epoch=given.epoch,
        start_at=utc(given.start_us),
        end_at=None if given.end_us is None else utc(given.end_us),
        seen_at=utc(given.seen_us or given.at_us),
        **asdict(finding),
    ).model_dump_json()


def alarm_json(alarm: Alarm, change: int) -> str:
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

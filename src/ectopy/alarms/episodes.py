"""The alarms of a recording, whole or replayed: the same desk, with the stream's own seconds for a clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ectopy.alarms.alarm import Alarm, AlarmChanged
from ectopy.alarms.desk import Desk
from ectopy.alarms.inputs import EpochEnded, Found, Input, Tick
from ectopy.alarms.rules import RULES, Priority
from ectopy.verdict import Finding

_AFTER_S = 2 * max(rule.off_s for rule in RULES)  # by then, what has ended is over


@dataclass(frozen=True, slots=True)
class Episode:
    """One alarm of a recording. Seconds from its first sample.

    code, priority, reason, value : as an `Alarm` has them
    start_s, end_s : of what raised it
    told_s : when it was raised
    """

    code: str
    priority: Priority
    start_s: float
    end_s: float
    told_s: float
    reason: str
    value: float | None


class StreamDesk:
    """A desk for one stream. Times of its alarms are microseconds from the first sample."""

    def __init__(self) -> None:
        self._desk = Desk()

    def push(self, findings: Sequence[Finding], now_s: float) -> list[Alarm]:
        """The alarms that changed up to now.

        findings : those told since the last call, in the order told
        now_s : nothing before it is still to be told
        """
        changed = []
        for finding in findings:
            at_us, end_us = _us(finding.told_s), None if finding.end_s is None else _us(finding.end_s)
            changed += self._until(at_us)
            changed += self._step(Found(at_us, "", 0, finding, _us(finding.start_s), end_us))
        return changed + self._until(_us(now_s))

    def finish(self, end_s: float) -> list[Alarm]:
        """The alarms that change when the stream ends here: what still lasts ends with it."""
        end_us = max(_us(end_s), self._desk.state.clock_us)
        changed = self._until(end_us) + self._step(EpochEnded(end_us, "", 0))
        return changed + self._until(end_us + _us(_AFTER_S))

    def _until(self, at_us: int) -> list[Alarm]:
        changed = []
        while (due_us := self._desk.due_us) is not None and due_us <= at_us:
            changed += self._step(Tick(due_us))
        return changed

    def _step(self, given: Input) -> list[Alarm]:
        return [output.alarm for output in self._desk.step(given) if isinstance(output, AlarmChanged)]


def episodes(findings: Sequence[Finding], duration_s: float) -> list[Episode]:
    """The alarms that findings raise, by the same rules as live, in the order told.

    findings : in the order told, beginnings and ends, as the analysis gives them
    duration_s : of the recording; what still lasts ends with it
    """
    desk = StreamDesk()
    changed = desk.push(findings, duration_s) + desk.finish(duration_s)
    return [_episode(alarm) for alarm in {alarm.id: alarm for alarm in changed}.values()]


def _episode(alarm: Alarm) -> Episode:
    ended_us = alarm.told_us if alarm.ended_us is None else alarm.ended_us
    return Episode(
        alarm.code,
        alarm.priority,
        alarm.onset_us / 1e6,
        ended_us / 1e6,
        alarm.told_us / 1e6,
        alarm.reason,
        alarm.value,
    )


def _us(seconds: float) -> int:
    return round(seconds * 1e6)

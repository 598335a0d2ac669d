"""An alarm: one episode of what a rule watches. The words are those of FHIR R6's DeviceAlert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ectopy.alarms.rules import Kind, Priority

Presence = Literal["on", "latched", "off"]
Signal = Literal["on", "audio paused", "alarm paused"]


@dataclass(frozen=True, slots=True)
class Alarm:
    """The complete state of one alarm. Times are microseconds UTC.

    id : counts from 1 over all streams
    stream, epoch : whose it is; None where it is the service's own
    code : the rule's
    presence : `on`; then `latched` (over, and nobody has acknowledged it) or `off`
    onset_us : when its condition began
    told_us : when the alarm was raised
    ended_us : when its condition ended; None while it is on
    late : known more than 30 s after it happened: never latched, nobody is notified
    signal : `audio paused` is for the ear only; `alarm paused`: nobody is notified either, but that it is over
    reason : in words, with the figure
    value : the worst so far, where the finding has one
    """

    id: int
    stream: str | None
    epoch: int | None
    code: str
    type: Kind
    priority: Priority
    presence: Presence
    acknowledged: bool
    acknowledged_by: str | None
    acknowledged_us: int | None
    onset_us: int
    told_us: int
    ended_us: int | None
    late: bool
    signal: Signal
    reason: str
    value: float | None


@dataclass(frozen=True, slots=True)
class AlarmChanged:
    """An alarm was raised, or something of it changed: its complete new state."""

    alarm: Alarm

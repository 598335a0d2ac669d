"""What the desk takes in. `at_us` is the server's clock at that moment, microseconds UTC, as it stands in the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ectopy.alarms.rules import Changes
from ectopy.verdict import Finding

Paused = Literal["audio", "alarm"]  # what a pause is of


@dataclass(frozen=True, slots=True)
class Found:
    """A finding has begun (`end_us` None), has ended, or is told complete. `start_us`, `end_us`: when that was.
    `seen_us`: UTC at that moment, where `at_us` is a clock that has not been set back with it.

    A beginning may be told again: where it was late at first and now comes in time, a new alarm is raised.
    """

    at_us: int
    stream: str
    epoch: int
    finding: Finding
    start_us: int
    end_us: int | None = None
    seen_us: int | None = None


@dataclass(frozen=True, slots=True)
class ConditionChanged:
    """A technical condition began or ended at `since_us`; the service watches it.

    stream : None for the service's own
    reason : in words, with the figure; empty: the rule's
    streams : those that a gateway which is down carries. The alarm ends when all of them are back.
    """

    at_us: int
    stream: str | None
    name: str
    on: bool
    reason: str
    since_us: int
    streams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EpochEnded:
    """The stream's run is over, and with it what lasted; or it is analysed anew, and what still lasts is told next."""

    at_us: int
    stream: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Somebody has seen to an alarm."""

    at_us: int
    alarm: int
    author: str


@dataclass(frozen=True, slots=True)
class AudioPaused:
    """No sound until then, for a stream or (None) for all; notifications still go. Replaces an earlier one."""

    at_us: int
    stream: str | None
    author: str
    reason: str
    until_us: int


@dataclass(frozen=True, slots=True)
class AlarmPaused:
    """No new physiological alarm until then, for a stream or (None) for all, and no notification of open ones."""

    at_us: int
    stream: str | None
    author: str
    reason: str
    until_us: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """A pause ends before its time; nothing happens where there is none."""

    at_us: int
    stream: str | None
    what: Paused
    author: str


@dataclass(frozen=True, slots=True)
class RulesChanged:
    """From now on a stream has these changes, in place of earlier ones, and no others."""

    at_us: int
    stream: str
    author: str
    changes: Changes


@dataclass(frozen=True, slots=True)
class Viewed:
    """The heartbeat of somebody who watches a monitor."""

    at_us: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""

    at_us: int


Input = (
    Found
    | ConditionChanged
    | EpochEnded
    | Acknowledged
    | AudioPaused
    | AlarmPaused
    | Resumed
    | RulesChanged
    | Viewed
    | Tick
)

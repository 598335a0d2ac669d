"""What travels as JSON about alarms, in the words of FHIR R6's DeviceAlert. Times are UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StrictBool

from ectopy.alarms import LONGEST_ON_S, LONGEST_PAUSE_S, Kind, Paused, Presence, Priority, Signal
from ectopy.wire.messages import LONGEST_AUTHOR, Id, Message, Page

Author = Field(min_length=1, max_length=LONGEST_AUTHOR, description="Who does it", examples=["Sister Ruth"])
Why = Field(min_length=1, max_length=200, examples=["washing"])


class AlarmOut(Message):
    """One alarm as it stands. `change` counts over the changes of all alarms, in the order in which they were kept."""

    type: Literal["alarm"] = "alarm"
    id: int
    change: int
    stream: Id | None = Field(description="null: the service itself")
    epoch: int | None
    code: str = Field(description="The rule that raised it, as asystole; GET /v1/rules has them all")
    kind: Kind
    priority: Priority
    presence: Presence = Field(description="latched: its condition is over, and nobody has acknowledged it")
    signal: Signal
    acknowledged: bool
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    onset_at: datetime
    told_at: datetime
    ended_at: datetime | None
    late: bool = Field(description="Known more than 30 s after it happened: nobody is notified")
    reason: str
    value: float | None


class EpisodeOut(Message):
    """One alarm of a recording: as `ectopy.alarms.Episode`."""

    code: str
    priority: Priority
    start_s: float
    end_s: float
    told_s: float
    reason: str
    value: float | None
    late: bool = Field(description="Known over 30 s behind its time, as all of an upload: nobody was notified")


class Alarms(Page):
    items: list[AlarmOut]


class Acknowledge(Message):
    """Somebody has seen to an alarm."""

    author: str = Author


class Pause(Message):
    """`audio`: no sound; notifications still go. `alarm`: no new physiological alarm, and nobody is notified."""

    what: Paused
    stream: Id | None = Field(default=None, description="All, if left out")
    author: str = Author
    reason: str = Why
    seconds: int = Field(ge=1, le=LONGEST_PAUSE_S, examples=[120])


class Resume(Message):
    """A pause ends before its time."""

    what: Paused
    stream: Id | None = None
    author: str = Author


class PauseOut(Message):
    what: Paused
    stream: Id | None
    author: str
    reason: str
    until_at: datetime


class RuleOut(Message):
    """A rule, as it holds for a stream. `on_s`: held so long before it is raised; `off_s`: gone so long before it is
    over."""

    code: str
    kind: Kind
    priority: Priority
    enabled: bool
    limit: float | None
    on_s: float
    off_s: float
    latches: bool
    notify: bool
    changed: bool


class RuleChange(Message):
    """What of a rule is to be different; what is left out, or null, stays."""

    enabled: StrictBool | None = None
    priority: Priority | None = None
    limit: float | None = Field(default=None, description="One of those that the rule can have", examples=[130])
    on_s: float | None = Field(default=None, ge=0, le=LONGEST_ON_S)
    notify: StrictBool | None = None


class RuleChanges(Message):
    """A stream's own rules, in place of earlier changes."""

    author: str = Author
    changes: dict[Annotated[str, Field(max_length=32)], RuleChange] = Field(
        description="By code", examples=[{"tachycardia": {"limit": 130}}]
    )

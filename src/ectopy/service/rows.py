"""Values of the store: what is known of an epoch, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Literal

from ectopy.recording import AamiClass
from ectopy.wire import Choice, Form, SampleKind, Unit


@dataclass(frozen=True)
class EpochRow:
    """One run of a device.

    key : its number among all epochs
    choice : what judges it, chosen when it began; None: as the service is set
    end : samples in all; None while it runs
    judged : it has ended, and all its verdicts are there
    """

    key: int
    stream: str
    number: int
    fs: Fraction
    leads: tuple[str, ...]
    kind: SampleKind
    unit: Unit
    gain: float
    offset: float
    label: str | None
    started_us: int
    device_us: int | None
    choice: Choice | None = None
    end: int | None = None
    judged: bool = False

    @property
    def form(self) -> Form:
        return Form(len(self.leads), self.kind, self.unit, self.gain, self.offset)


@dataclass(frozen=True, slots=True)
class SamplesRow:
    """Samples of the log, or (`late`) samples whose place had become a gap."""

    epoch: int
    first: int
    n: int
    samples: bytes
    late: bool = False


@dataclass(frozen=True, slots=True)
class GapRow:
    epoch: int
    first: int
    n: int
    reason: Literal["declared", "never came"]


@dataclass(frozen=True, slots=True)
class AnchorRow:
    """A sample index, and when it was taken."""

    epoch: int
    sample: int
    server_us: int
    device_us: int | None = None


@dataclass(frozen=True, slots=True)
class ConflictRow:
    epoch: int
    first: int
    n: int
    came_us: int


@dataclass(frozen=True, slots=True)
class EndRow:
    """The epoch has ended, after `n` samples."""

    epoch: int
    n: int


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """What a stream's next epochs are judged by."""

    stream: str
    choice: Choice


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """body : `wire.VerdictOut` as JSON"""

    id: int
    epoch: int
    start: int
    start_s: float
    word: str
    body: str


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """All verdicts of an epoch that has ended are there."""

    epoch: int


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """The state of an epoch's analysis after `sample` samples; good once the verdicts before it are kept."""

    epoch: int
    sample: int
    state: bytes


@dataclass(frozen=True, slots=True)
class LogRow:
    """What the desk took in.

    epoch : its number
    body : the input as JSON; of a finding `wire.FoundOut`
    """

    id: int
    at_us: int
    kind: str
    stream: str | None
    epoch: int | None
    told_s: float | None
    body: str


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """A change of an alarm; new : it is raised. body : `wire.AlarmOut` as JSON"""

    change: int
    alarm: int
    stream: str | None
    priority: str
    open: bool
    new: bool
    body: str


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notification to one target."""

    key: str
    target: str
    alarms: tuple[int, ...]
    kind: str
    priority: str
    level: int
    title: str
    body: str
    at_us: int


@dataclass(frozen=True, slots=True)
class DeskRow:
    """The desk's state after the input `upto`, as JSON."""

    upto: int
    state: str


@dataclass(frozen=True, slots=True)
class AnnotationRow:
    """What somebody says of the beat at a sample: its class, and the one that it replaces."""

    id: int
    epoch: int
    sample: int
    aami: AamiClass
    replaced: AamiClass | None
    author: str
    note: str
    at_us: int


AlarmsRow = LogRow | AlarmRow | NoticeRow | DeskRow
Row = (
    SamplesRow
    | GapRow
    | AnchorRow
    | ConflictRow
    | EndRow
    | VerdictRow
    | EpochRow
    | JudgedRow
    | SnapshotRow
    | AnnotationRow
    | ChoiceRow
    | AlarmsRow
)


def utc(us: int) -> datetime:
    """Microseconds UTC as a time."""
    return datetime.fromtimestamp(us // 1_000_000, UTC).replace(microsecond=us % 1_000_000)


def microseconds(time: datetime) -> int:
    return round(time.timestamp() * 1_000_000)

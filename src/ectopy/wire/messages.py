"""What travels as JSON of streams, their epochs and samples, and what all messages have in common. Times are UTC,
indices count samples from 0 in each epoch."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from ectopy.errors import SignalError
from ectopy.recording import MAX_FS, MIN_FS, exact_rate
from ectopy.verdict import OperatingPoint, Word
from ectopy.wire.form import Form, SampleKind, Unit

MAX_LEADS = 16
LONGEST_AUTHOR = 64  # characters
_INDEX = 2**53  # JSON's numbers are exact up to here
_CLOCKS = 1970, 2200  # years that a device's clock may show
ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
Id = Annotated[str, Field(pattern=ID, examples=["bed-7"])]


def _number(value: object) -> object:
    if isinstance(value, bool | str):
        raise ValueError("expected a number")
    return value


_Number = BeforeValidator(_number)  # pydantic would take "1" and true for one
Index = Annotated[int, Field(ge=0, lt=_INDEX), _Number]
Count = Annotated[int, Field(ge=1, lt=_INDEX), _Number]
Lead = Annotated[str, Field(min_length=1, max_length=32)]
Value = Annotated[float | None, Field(strict=True, description="mV, or as the unit says; null = missing")]


Row = Annotated[list[Value], Field(min_length=1, max_length=MAX_LEADS, fail_fast=True)]
_Long = Field(min_length=1, fail_fast=True)  # one bad sample says enough of a million
Series = Annotated[list[Value], _Long] | Annotated[list[Row], _Long]


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Choice(Message):
    """What judges a stream, and who says so."""

    model: str | None = Field(
        max_length=64, description="Name of an installed model; none: as the service is set", examples=["sequence"]
    )
    operating_point: OperatingPoint | None = Field(default=None, description="Of that model; `balanced` if left out")
    author: str | None = Field(default=None, min_length=1, max_length=LONGEST_AUTHOR, examples=["Sister Ruth"])

    @model_validator(mode="after")
    def _of_a_model(self) -> Choice:
        if self.model is None and self.operating_point is not None:
            raise ValueError("an operating point without a model; name the model too")
        return self


class EpochRequest(Message):
    """One run of a device is about to begin."""

    fs: float | str = Field(
        description=f"Sampling rate in Hz, {MIN_FS} to {MAX_FS}; a fraction as '1000/3'", examples=[360]
    )
    leads: list[Lead] = Field(min_length=1, max_length=MAX_LEADS, examples=[["II"]])
    kind: SampleKind = Field(default="int16", description="Stored form: little-endian, leads side by side")
    unit: Unit = "mV"
    gain: Annotated[float, _Number] = Field(
        1.0, gt=0, description="Of int16: value = (stored - offset) / gain", examples=[200]
    )
    offset: Annotated[float, _Number] = 0.0
    label: str | None = Field(default=None, max_length=128, description="What people call the stream")
    device_time: datetime | None = Field(default=None, description="The device's clock at sample 0, with its zone")

    @field_validator("fs")
    @classmethod
    def _a_rate(cls, fs: float | str) -> float | str:
        try:
            rate = exact_rate(fs)
        except SignalError as error:
            raise ValueError(str(error)) from None
        if not MIN_FS <= rate <= MAX_FS:
            raise ValueError(f"expected {MIN_FS} to {MAX_FS} Hz")
        return fs

    @field_validator("device_time", mode="before")
    @classmethod
    def _as_text(cls, time: object) -> object:
        if isinstance(time, int | float):
            raise ValueError("a number; expected a time as 2026-01-01T12:00:00Z")
        return time

    @field_validator("device_time")
    @classmethod
    def _with_a_zone(cls, time: datetime | None) -> datetime | None:
        if time is not None and time.tzinfo is None:
            raise ValueError("a time without a zone; expected one as 2026-01-01T12:00:00Z")
        if time is not None and not _CLOCKS[0] <= time.year < _CLOCKS[1]:
            raise ValueError(f"no device's clock: the year {time.year}; leave it out where there is none that runs")
        return time

    @model_validator(mode="after")
    def _named_once(self) -> EpochRequest:
        if len(set(self.leads)) < len(self.leads):
            raise ValueError("two leads of one name")
        return self

    @property
    def rate(self) -> Fraction:
        return exact_rate(self.fs)

    @property
    def form(self) -> Form:
        return Form(len(self.leads), self.kind, self.unit, self.gain, self.offset)


class Epoch(EpochRequest):
    """One run of a device. `next` is the sample index wanted next, all before it being on disk; `credit` how many
    samples may be sent from there on."""

    stream: Id
    epoch: Count
    started_at: datetime
    ended: bool
    next: Index
    credit: Index
    model: str


class Stream(Message):
    """A stream and its newest epoch."""

    id: Id
    label: str | None
    epoch: Epoch | None
    chosen: Choice | None = Field(description="What its next epochs are judged by; null: nobody has chosen")
    connected: bool = Field(description="Somebody holds a connection that writes")
    last_verdict: Word | None


class Ack(Message):
    """All samples before `next` are on disk; `credit` more may be sent."""

    type: Literal["ack"] = "ack"
    stream: Id
    epoch: int
    next: Index
    credit: Index


class Samples(Message):
    """Samples as JSON: (n) of one lead or (n, n_leads)."""

    epoch: Count
    first: Index | None = Field(default=None, description="Index of the first; left out with append=true")
    samples: Series = Field(examples=[[0.01, None, 0.02]])


class Gap(Message):
    """Samples that will not come."""

    type: Literal["gap"] = "gap"
    stream: Id | None = Field(default=None, description="Left out where the connection is that of one stream")
    epoch: Count
    first: Index
    n: Count
    reason: Literal["declared", "never came"] = "declared"


class End(Message):
    """The run is over after `n` samples: the intervals still owed are given."""

    type: Literal["end"] = "end"
    stream: Id | None = None
    epoch: Count
    n: Index


What = Literal["verdicts", "samples", "findings", "alarms"]


class Watch(Message):
    """Which of `verdicts`, `samples` (as binary frames), `findings` and `alarms` this connection is to be told."""

    type: Literal["watch"] = "watch"
    what: list[What]


class Write(Message):
    """This connection is to write the epoch; whoever did before is closed (4409). An `Ack` answers."""

    type: Literal["write"] = "write"
    stream: Id | None = None
    epoch: Count


class Skipped(Message):
    """This watcher was too slow; it goes on with the latest."""

    type: Literal["skipped"] = "skipped"
    n: int


class Refused(Message):
    """Why something was not done: what was wrong, where, and what to do."""

    type: Literal["error"] = "error"
    status: int
    reason: str
    stream: Id | None = None


class Page(Message):
    """`after` of the next page; null at the end."""

    next: int | None


class Ticket(Message):
    """Good once, for 30 s: the WebSocket subprotocol `ectopy.ticket.<ticket>`."""

    ticket: str
    expires_at: datetime

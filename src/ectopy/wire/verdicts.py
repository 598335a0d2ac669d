"""What was found in streams, as JSON; field names are those of `Verdict`, `Beat` and `Analysis`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from ectopy.recording import AamiClass
from ectopy.verdict import Word
from ectopy.wire.messages import Id, Message, Page


class BeatOut(Message):
    """As `ectopy.verdict.Beat`."""

    sample: int
    time_s: float
    aami: AamiClass | None
    N: float | None
    S: float | None
    V: float | None
    F: float | None
    Q: float | None
    rr_s: float | None
    anomaly: float
    differs: str | None


class FindingOut(Message):
    """As `ectopy.verdict.Finding`."""

    name: str
    start_s: float
    end_s: float | None
    abnormal: bool
    told_s: float | None = None  # unknown of what earlier versions found
    value: float | None = None


class IntervalOut(Message):
    """As `ectopy.verdict.Verdict`."""

    start_s: float
    end_s: float
    verdict: Word
    score: float | None
    heart_rate: float | None
    quality: float
    n_beats: int
    n_abnormal: int
    reason: str
    beats: list[BeatOut]
    findings: list[FindingOut]
    model: str


class VerdictOut(IntervalOut):
    """One interval of a stream. `id` counts over all streams in the order in which verdicts were kept."""

    type: Literal["verdict"] = "verdict"
    id: int
    stream: Id
    epoch: int
    start_sample: int
    end_sample: int
    start_at: datetime
    end_at: datetime


class FoundOut(FindingOut):
    """A finding of a stream as it is told: when it begins, and again when it ends. `id` counts over all streams."""

    type: Literal["finding"] = "finding"
    id: int
    stream: Id
    epoch: int
    start_at: datetime
    end_at: datetime | None
    seen_at: datetime | None = Field(default=None, description="When it was told, by the server's clock")


class Verdicts(Page):
    items: list[VerdictOut]


class Beats(Page):
    items: list[BeatOut]


class Findings(Page):
    items: list[FoundOut]

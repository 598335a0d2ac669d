"""What travels as JSON about recordings that are analysed at once, and about models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from ectopy.verdict import Word
from ectopy.wire.alarms import EpisodeOut
from ectopy.wire.form import Unit
from ectopy.wire.messages import MAX_LEADS, Count, Id, Index, Lead, Message, Series
from ectopy.wire.verdicts import IntervalOut


class SummaryOut(Message):
    """As `ectopy.analysis.Summary`; `beats` counts those without a class under `none`."""

    duration_s: float
    verdicts: dict[Word, int]
    beats: dict[str, int]
    heart_rate: float | None
    unreadable_share: float
    notes: list[str]


class AnalysisRequest(Message):
    """Samples to analyse at once."""

    fs: float | str = Field(examples=[360])
    leads: list[Lead] | None = Field(default=None, min_length=1, max_length=MAX_LEADS)
    samples: Series
    unit: Unit = "mV"
    model: Annotated[str | None, Field(description="Without it as the service is set; one named is `balanced`")] = None


class AnalysisOut(Message):
    """As `ectopy.analysis.Analysis`; `episodes` are the alarms that a stream of the same samples would have raised."""

    name: str
    fs: float
    leads: list[str]
    calibrated: bool
    model: str
    summary: SummaryOut
    episodes: list[EpisodeOut]
    intervals: list[IntervalOut]


class Job(Message):
    """An analysis that takes longer. `result` is there once it is `done`."""

    id: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    progress: float = Field(ge=0, le=1)
    reason: str | None = None
    result: AnalysisOut | None = None


class RebuiltOut(Message):
    """Half a second of a beat, and the same as an autoencoder rebuilds it that has seen normal beats only.

    Both are 64 samples at 128 Hz, the R peak at 32, QRS complexes about 2 from peak to peak.
    """

    stream: Id
    epoch: Count
    sample: Index = Field(description="Of the R peak")
    lead: str
    model: str
    anomaly: float = Field(description="How unlike a normal beat of this patient, 0 to 1")
    beat: list[float]
    rebuilt: list[float]


class TradeOut(Message):
    """What each threshold for an abnormal interval gives: lists of one length.

    `of` says on what; `made_by` the command that found it.
    """

    of: str
    made_by: str
    threshold: list[float]
    sensitivity: list[float]
    precision: list[float | None]
    false_alarms_per_hour: list[float]


class ModelOut(Message):
    """An installed model: its card, and what another threshold would give, where that is known."""

    name: str
    version: str
    default: bool
    card: dict[str, Any]
    trade: TradeOut | None

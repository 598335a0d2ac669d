"""`Case`: what the review page shows, wherever it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Protocol

from ectopy.recording import AamiClass, Recording
from ectopy.wire import BeatOut, EpisodeOut, IntervalOut


@dataclass(frozen=True)
class Said:
    """What somebody says of the beat at a sample: its class, and the one that it replaces."""

    sample: int
    aami: AamiClass
    replaced: AamiClass | None
    author: str
    note: str
    at: datetime


class Case(Protocol):
    """A recording with its verdicts.

    key : of its own among all cases
    title, name : for people, and for file names
    """

    @property
    def key(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def fs(self) -> Fraction: ...
    @property
    def leads(self) -> tuple[str, ...]: ...
    @property
    def model(self) -> str: ...
    @property
    def notes(self) -> Sequence[str]: ...
    @property
    def intervals(self) -> Sequence[IntervalOut]: ...
    @property
    def alarms(self) -> Sequence[EpisodeOut]: ...
    @property
    def started_at(self) -> datetime | None: ...
    @property
    def duration_s(self) -> float: ...

    @property
    def said(self) -> Sequence[Said]:
        """In the order said."""
        ...

    def part(self, start_s: float, seconds: float) -> tuple[Recording, float]:
        """The samples of that stretch, and the second of the first of them."""
        ...

    def say(self, beat: BeatOut, aami: AamiClass, author: str, note: str) -> None:
        """Keep another class of a beat.

        Raises
        ------
        EctopyError
            If it can't be kept.
        """
        ...


def said_of(case: Case) -> dict[int, Said]:
    """By sample, the newest."""
    return {said.sample: said for said in case.said}


def classes(case: Case) -> dict[int, AamiClass | None]:
    """Of each beat, in the order of time: the class that was said last, else the model's."""
    found = {beat.sample: beat.aami for interval in case.intervals for beat in interval.beats}
    found |= {sample: said.aami for sample, said in said_of(case).items()}
    return dict(sorted(found.items()))


def beats_between(case: Case, start_s: float, end_s: float) -> list[BeatOut]:
    """Those with their R in [start_s, end_s), each once."""
    found = {
        beat.sample: beat
        for interval in case.intervals
        if interval.start_s < end_s and interval.end_s > start_s
        for beat in interval.beats
        if start_s <= beat.time_s < end_s
    }
    return [found[sample] for sample in sorted(found)]

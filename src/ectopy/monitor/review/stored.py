"""An epoch of a stream, as the service has it."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction

import numpy as np

from ectopy.client import Client
from ectopy.errors import RecordError
from ectopy.monitor.asking import ask, listed
from ectopy.monitor.review.case import Said
from ectopy.recording import AamiClass, Recording
from ectopy.wire import AlarmOut, Annotate, AnnotationOut, BeatOut, EpisodeOut, Epoch, VerdictOut


class Stored:
    """A `Case`; `refresh` asks for what is new."""

    notes: Sequence[str] = ()

    def __init__(self, stream: str, number: int | None = None):
        epochs = ask(lambda client: client.epochs(stream))
        found = [epoch for epoch in epochs if number in (None, epoch.epoch)]
        if not found:
            raise RecordError(f"stream '{stream}' has no epoch {number}; the newest is {epochs[-1].epoch}")
        self.epoch: Epoch = found[-1]
        self.key = f"{stream}/{self.epoch.epoch}"
        self.title = f"{epochs[-1].label or stream}, run {self.epoch.epoch} of the device"
        self.name = f"{stream}-{self.epoch.epoch}"
        self.fs: Fraction = self.epoch.rate
        self.leads = tuple(self.epoch.leads)
        self.model = self.epoch.model
        self.started_at: datetime | None = self.epoch.started_at
        self.intervals: list[VerdictOut] = []
        self.alarms: list[EpisodeOut] = []
        self._said: list[AnnotationOut] = []
        self._seconds: dict[datetime, float] = {}  # of the epoch, where a finding begins or ends
        self._found = 0

    @property
    def duration_s(self) -> float:
        return float(self.epoch.next / self.fs)

    @property
    def said(self) -> list[Said]:
        return [Said(one.sample, one.aami, one.replaced, one.author, one.note, one.at) for one in self._said]

    def refresh(self, progress: Callable[[float], object] = lambda share: None) -> None:
        """Ask for what came since; `progress` is told the share of the signal whose verdicts are there."""
        stream, number = self.epoch.stream, self.epoch.epoch

        async def news(client: Client) -> list[AlarmOut]:
            self.epoch = next(epoch for epoch in await client.epochs(stream) if epoch.epoch == number)
            after = self.intervals[-1].id if self.intervals else None
            async for verdict in client.verdicts(stream, number, after=after):
                self.intervals.append(verdict)
                if len(self.intervals) % 200 == 0:
                    progress(min(verdict.end_s / max(self.duration_s, 1), 1.0))
            async for found in client.findings(stream, number, after=self._found):
                self._found = found.id
                self._seconds[found.start_at] = found.start_s
                if found.end_at is not None and found.end_s is not None:
                    self._seconds[found.end_at] = found.end_s
            last = self._said[-1].id if self._said else None
            self._said += await listed(client.annotations(stream, number, after=last))
            return await listed(client.alarms("all", stream))

        self.alarms = [
            self._episode(alarm) for alarm in ask(news) if alarm.epoch == number and alarm.kind == "physiological"
        ]

    def part(self, start_s: float, seconds: float) -> tuple[Recording, float]:
        first = math.ceil(max(start_s, 0) * self.fs)
        n = max(min(math.ceil((start_s + seconds) * self.fs), self.epoch.next) - first, 0)
        stream, number = self.epoch.stream, self.epoch.epoch
        chunks = ask(lambda client: listed(client.samples(stream, number, first, n)))
        form = self.epoch.form
        pieces = [form.decode(chunk.samples) for chunk in chunks]
        samples = np.concatenate(pieces) if pieces else np.empty((0, len(self.leads)), np.float32)
        calibrated = self.epoch.unit != "unknown"
        return Recording(samples, self.fs, self.leads, calibrated=calibrated, name=self.name), float(first / self.fs)

    def say(self, beat: BeatOut, aami: AamiClass, author: str, note: str) -> None:
        replaced = next((one.aami for one in reversed(self._said) if one.sample == beat.sample), beat.aami)
        said = Annotate(
            epoch=self.epoch.epoch, sample=beat.sample, aami=aami, replaced=replaced, author=author, note=note
        )
        stream = self.epoch.stream
        self._said.append(ask(lambda client: client.annotate(stream, said)))

    def _episode(self, alarm: AlarmOut) -> EpisodeOut:
        start_s = self.second(alarm.onset_at)
        end_s = self.second(alarm.ended_at) if alarm.ended_at else self.duration_s
        told_s = self.second(alarm.told_at)
        return EpisodeOut(
            code=alarm.code,
            priority=alarm.priority,
            start_s=start_s,
            end_s=max(end_s, start_s),
            told_s=told_s,
            reason=alarm.reason,
            value=alarm.value,
            late=alarm.late,
        )

    def second(self, at: datetime) -> float:
        """Of the epoch, at a time: exactly where a finding begins or ends then, else from the verdict before."""
        if at in self._seconds:
            return self._seconds[at]
        before = bisect_right(self.intervals, at, key=lambda verdict: verdict.start_at) - 1
        near = self.intervals[before] if before >= 0 else None
        start_s, start_at = (near.start_s, near.start_at) if near else (0.0, self.epoch.started_at)
        return min(max(start_s + (at - start_at) / timedelta(seconds=1), 0.0), self.duration_s)

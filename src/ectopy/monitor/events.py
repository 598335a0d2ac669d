"""What happened over all streams: alarms, and abnormal verdicts, as rows that can be searched."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ectopy.client import Client
from ectopy.monitor.asking import ask, listed
from ectopy.wire import AlarmOut, VerdictOut

VERDICT = "abnormal"  # the mark of an event that is a verdict; an alarm has its priority


@dataclass(frozen=True)
class Event:
    """One of them.

    mark : priority of an alarm, else `VERDICT`
    code : the alarm's rule; `verdict` of a verdict
    then : what became of it
    place : of its strip, as the review page takes it; none of an alarm about no stream
    """

    at: datetime
    stream: str
    epoch: int | None
    mark: str
    code: str
    reason: str
    then: str
    place: dict[str, str]


def alarms() -> list[Event]:
    """All there are."""
    return [_of_alarm(alarm) for alarm in ask(lambda client: listed(client.alarms("all")))]


class Verdicts:
    """Abnormal verdicts of streams, asked for once: a verdict stays as it was given."""

    def __init__(self) -> None:
        self._events: dict[str, list[Event]] = {}
        self._last: dict[str, int] = {}

    def of(self, streams: Iterable[str]) -> list[Event]:
        """Those of these streams, the new ones too."""
        streams = list(streams)

        async def news(client: Client) -> None:
            for stream in streams:
                events = self._events.setdefault(stream, [])
                async for verdict in client.verdicts(stream, after=self._last.get(stream), verdict="abnormal"):
                    self._last[stream] = verdict.id
                    events.append(_of_verdict(verdict))

        ask(news)
        return [event for stream in streams for event in self._events[stream]]


def as_csv(events: Sequence[Event]) -> str:
    """A line an event; times are UTC."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["at", "stream", "epoch", "mark", "code", "reason", "then"])
    for event in events:
        row = (event.stream, event.epoch or "", event.mark, event.code, event.reason, event.then)
        writer.writerow([event.at.isoformat(), *row])
    return text.getvalue()


def _of_alarm(alarm: AlarmOut) -> Event:
    then: str = alarm.presence
    if alarm.acknowledged_by:
        then += f", acknowledged by {alarm.acknowledged_by}"
    if alarm.ended_at is not None:
        then += f", lasted {(alarm.ended_at - alarm.onset_at).total_seconds():.0f} s"
    place = {}
    if alarm.stream is not None and alarm.epoch is not None:
        place = {"stream": alarm.stream, "epoch": str(alarm.epoch), "when": alarm.onset_at.isoformat()}
    reason = alarm.reason if alarm.code in alarm.reason else f"{alarm.code}: {alarm.reason}".rstrip(": ")
    return Event(
        alarm.onset_at, alarm.stream or "the service", alarm.epoch, alarm.priority, alarm.code, reason, then, place
    )


def _of_verdict(verdict: VerdictOut) -> Event:
    place = {"stream": verdict.stream, "epoch": str(verdict.epoch), "at": f"{verdict.start_s:g}"}
    score = "" if verdict.score is None else f"score {verdict.score:.2f}"
    return Event(verdict.start_at, verdict.stream, verdict.epoch, VERDICT, "verdict", verdict.reason, score, place)

"""Verdicts and alarms as lines of text, and what they come to."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ectopy.alarms import Alarm, Presence, Priority
    from ectopy.verdict import Verdict
    from ectopy.wire import AlarmOut, IntervalOut, VerdictOut


@dataclass(frozen=True, slots=True)
class AlarmTold:
    """An alarm as it stands; seconds of its stream. The names are those of the API."""

    id: int
    code: str
    priority: Priority
    presence: Presence
    start_s: float
    end_s: float | None
    told_s: float
    reason: str
    value: float | None

    @classmethod
    def of(cls, alarm: Alarm) -> AlarmTold:
        """From a desk whose clock is the stream's own."""
        end_s = None if alarm.ended_us is None else alarm.ended_us / 1e6
        return cls._at(alarm, alarm.onset_us / 1e6, end_s, alarm.told_us / 1e6)

    @classmethod
    def since(cls, began: datetime, alarm: AlarmOut) -> AlarmTold:
        """From a service; `began`: when the stream's first sample came."""

        def second(when: datetime) -> float:
            return max(0.0, (when - began).total_seconds())

        end_s = None if alarm.ended_at is None else second(alarm.ended_at)
        return cls._at(alarm, second(alarm.onset_at), end_s, second(alarm.told_at))

    @classmethod
    def _at(cls, alarm: Alarm | AlarmOut, start_s: float, end_s: float | None, told_s: float) -> AlarmTold:
        words = (alarm.code, alarm.priority, alarm.presence)
        return cls(alarm.id, *words, start_s, end_s, told_s, alarm.reason, alarm.value)

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return {"type": "alarm", **asdict(self)}

    @property
    def words(self) -> tuple[str, str, str]:
        """When, how urgent or `over`, and why."""
        from ectopy.figures import clock

        start = clock(int(self.start_s))
        if self.presence == "on" or self.end_s is None:
            return start, self.priority.upper(), f"{self.code}: {self.reason}"
        latched = "; latched until somebody acknowledges it" if self.presence == "latched" else ""
        return f"{start}-{clock(int(self.end_s))}", "over", f"{self.code}{latched}"


class AlarmNews:
    """Tells which changes of alarms are worth a line: it is raised; it is over."""

    def __init__(self) -> None:
        self._on: set[int] = set()

    def new(self, alarm: AlarmTold) -> bool:
        """Whether this one is; each is asked about once, in order."""
        if (alarm.presence == "on") == (alarm.id in self._on):
            return False
        (self._on.add if alarm.presence == "on" else self._on.remove)(alarm.id)
        return True


def print_line(verdict: Verdict | IntervalOut) -> None:
    """One verdict: when, what, how sure, heart rate, why."""
    from ectopy.figures import clock

    score = "   -" if verdict.score is None else f"{verdict.score:.2f}"
    rate = "  -" if verdict.heart_rate is None else f"{verdict.heart_rate:3.0f}"
    times = f"{clock(verdict.start_s)}-{clock(verdict.end_s)}"
    print(f"{times:<15} {verdict.verdict:<10}  score {score}  {rate}/min  {verdict.reason}", flush=True)


def print_alarm(alarm: AlarmTold) -> None:
    """One alarm, raised or over: when, how urgent, why."""
    when, what, why = alarm.words
    print(f"{when:<15} {what:<10}  {why}", flush=True)


class Lines:
    """Prints what a service tells of an epoch, and counts it.

    began : when its first sample came, as far as is known before there is a verdict
    """

    def __init__(self, began: datetime, *, as_json: bool = False) -> None:
        self.tally = Tally()
        self._began = began
        self._as_json = as_json
        self._news = AlarmNews()

    def tell(self, message: VerdictOut | AlarmOut) -> None:
        if self._as_json:
            print(message.model_dump_json(), flush=True)
        if message.type == "verdict":
            self._began = message.start_at - timedelta(seconds=message.start_s)
            self.tally.add(message)
            if not self._as_json:
                print_line(message)
            return
        alarm = AlarmTold.since(self._began, message)
        self.tally.add_alarm(alarm)
        if self._news.new(alarm) and not self._as_json:
            print_alarm(alarm)


class Tally:
    """Verdicts and alarms counted; it does not grow with what they hold."""

    def __init__(self) -> None:
        self._words: Counter[str] = Counter()
        self._beats: Counter[str | None] = Counter()
        self._alarms: Counter[str] = Counter()
        self._newest = 0  # alarm
        self._rates: list[float] = []

    def add(self, verdict: Verdict | IntervalOut) -> None:
        self._words[verdict.verdict] += 1
        self._beats.update(beat.aami for beat in verdict.beats)
        if verdict.heart_rate is not None:
            self._rates.append(verdict.heart_rate)

    def add_alarm(self, alarm: AlarmTold) -> None:
        """A change of one: the first of each counts."""
        if alarm.id > self._newest:
            self._alarms[alarm.priority] += 1
            self._newest = alarm.id

    def __str__(self) -> str:
        from ectopy.recording import AAMI_CLASSES

        words = ", ".join(f"{self._words[word]:,} {word}" for word in ("normal", "abnormal", "unreadable"))
        classes = [aami for aami in (*AAMI_CLASSES, None) if self._beats[aami]]
        beats = ", ".join(f"{self._beats[aami]:,} {aami or 'without class'}" for aami in classes) or "none"
        rate = f"{median(self._rates):.0f}/min" if self._rates else "unknown"
        urgent = [priority for priority in ("high", "medium", "low") if self._alarms[priority]]
        alarms = ", ".join(f"{self._alarms[priority]:,} {priority}" for priority in urgent) or "none"
        return (
            f"{self._words.total():,} intervals: {words}; beats: {beats}; median heart rate: {rate}; alarms: {alarms}"
        )

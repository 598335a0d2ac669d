"""Verdicts as lines of text, and what they come to."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ectopy.verdict import Verdict
    from ectopy.wire import IntervalOut


def print_line(verdict: Verdict | IntervalOut) -> None:
    """One verdict: when, what, how sure, heart rate, why."""
    from ectopy.figures import clock

    score = "   -" if verdict.score is None else f"{verdict.score:.2f}"
    rate = "  -" if verdict.heart_rate is None else f"{verdict.heart_rate:3.0f}"
    times = f"{clock(verdict.start_s)}-{clock(verdict.end_s)}"
    print(f"{times:<15} {verdict.verdict:<10}  score {score}  {rate}/min  {verdict.reason}", flush=True)


class Tally:
    """Verdicts counted; it does not grow with what they hold."""

    def __init__(self) -> None:
        self._words: Counter[str] = Counter()
        self._beats: Counter[str | None] = Counter()
        self._rates: list[float] = []

    def add(self, verdict: Verdict | IntervalOut) -> None:
        self._words[verdict.verdict] += 1
        self._beats.update(beat.aami for beat in verdict.beats)
        if verdict.heart_rate is not None:
            self._rates.append(verdict.heart_rate)

    def __str__(self) -> str:
        from ectopy.recording import AAMI_CLASSES

        words = ", ".join(f"{self._words[word]:,} {word}" for word in ("normal", "abnormal", "unreadable"))
        classes = [aami for aami in (*AAMI_CLASSES, None) if self._beats[aami]]
        beats = ", ".join(f"{self._beats[aami]:,} {aami or 'without class'}" for aami in classes) or "none"
        rate = f"{median(self._rates):.0f}/min" if self._rates else "unknown"
        return f"{self._words.total():,} intervals: {words}; beats: {beats}; median heart rate: {rate}"

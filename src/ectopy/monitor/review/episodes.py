"""What is worth a look: alarms, and stretches of abnormal or unreadable intervals."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from ectopy.figures import CLASS_NAMES, clock
from ectopy.monitor.review.case import Case, said_of
from ectopy.recording import ABNORMAL_CLASSES, AamiClass
from ectopy.verdict import Word
from ectopy.wire import IntervalOut

# What a list may be narrowed to: classes of beats, findings, alarms, what can't be judged.
KINDS = ("S", "V", "F", "findings", "alarms", "unreadable")


@dataclass(frozen=True)
class Episode:
    """One of them. Seconds from the first sample.

    mark : priority of an alarm, else the verdict
    kinds : those of `KINDS` that it has
    """

    start_s: float
    end_s: float
    mark: str
    text: str
    kinds: frozenset[str]
    score: float

    def __str__(self) -> str:
        return f"{clock(self.start_s)} · {self.mark} · {self.text}"


def episodes(case: Case) -> list[Episode]:
    """In the order of time. Intervals in a row with the same kinds are one; classes are those said last."""
    said = {sample: one.aami for sample, one in said_of(case).items()}
    found = [
        Episode(alarm.start_s, alarm.end_s, alarm.priority, alarm.reason or alarm.code, frozenset({"alarms"}), 2.0)
        for alarm in case.alarms
    ]
    marked = [(interval, _kinds(interval, said)) for interval in case.intervals]
    for (word, kinds), run in groupby(marked, key=lambda pair: (pair[0].verdict, pair[1])):
        if kinds:
            found.append(_stretch([interval for interval, _ in run], word, kinds, said))
    return sorted(found, key=lambda episode: (episode.start_s, -episode.score))


def _kinds(interval: IntervalOut, said: dict[int, AamiClass]) -> frozenset[str]:
    if interval.verdict == "unreadable":
        return frozenset({"unreadable"})
    have = {said.get(beat.sample, beat.aami) for beat in interval.beats}
    corrected = any(beat.sample in said for beat in interval.beats)
    if interval.verdict == "normal" and not corrected:
        return frozenset()
    found: set[str] = {aami for aami in ABNORMAL_CLASSES if aami in have}
    found |= {"findings"} if any(finding.abnormal for finding in interval.findings) else set()
    classless = interval.verdict == "abnormal" and not found and not corrected
    return frozenset({"V"} if classless else found)


def _stretch(run: list[IntervalOut], word: Word, kinds: frozenset[str], said: dict[int, AamiClass]) -> Episode:
    worst = max(run, key=lambda interval: (interval.score or 0.0, interval.n_abnormal))
    counts = [
        (aami, len({beat.sample for one in run for beat in one.beats if said.get(beat.sample, beat.aami) == aami}))
        for aami in ABNORMAL_CLASSES
        if aami in kinds
    ]
    text = ", ".join(f"{n} {CLASS_NAMES[aami]}" for aami, n in counts if n)
    names = {finding.name for one in run for finding in one.findings if finding.abnormal}
    text = ", ".join(part for part in (text, *sorted(names)) if part) or worst.reason
    if len(run) > 1:
        text += f", {len(run)} intervals"
    mark = "abnormal" if kinds - {"unreadable"} else word
    return Episode(run[0].start_s, run[-1].end_s, mark, text, kinds, worst.score or 0.0)

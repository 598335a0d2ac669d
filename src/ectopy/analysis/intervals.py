"""From beats and seconds to verdicts: one for each interval of 5 s.

A beat decides something if some lead can be judged in its second. In the second in which a lead starts, or starts
again, none can: filters and gain settle, and the model has seen nothing before. Nor in one that is too small for a QRS
complex. Other beats are listed, and decide nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf, isnan
from statistics import median

import numpy as np
from numpy.typing import NDArray

from ectopy.signal import RATE, READABLE, Conditioned, asystole, no_organised_rhythm, seen
from ectopy.verdict import INTERVAL_S, Beat, Finding, Verdict, Word

DELAY_S = 2  # a verdict is given once this much after its interval is in
SHORTEST_S = 2  # of the last interval
_READABLE_SHARE = 0.6  # of an interval's seconds that can be judged ...
_NORMAL_SHARE = 0.8  # ... and of one that shows nothing abnormal: what was not seen was not normal
_EARLY = 0.1  # of the usual RR interval: from there a beat is said to be premature
_CLASS_WORDS = {"S": "supraventricular", "V": "ventricular", "F": "fusion", None: "abnormal"}


@dataclass(frozen=True)
class Second:
    """What is known of one second of signal; a value a lead.

    quality : the signal's; in an interval that is judged, what is left of it after the model's doubt
    """

    quality: tuple[float, ...]
    waves: tuple[bool, ...]
    dead: tuple[bool, ...]
    missing: tuple[float, ...]
    quiet: tuple[bool, ...]
    starts: tuple[bool, ...]

    @property
    def best(self) -> float:
        return max(self.quality)

    @property
    def readable(self) -> bool:
        return self.best >= READABLE

    @property
    def deciding(self) -> bool:
        """Whether a beat in it decides something."""
        leads = zip(self.quality, self.quiet, self.starts, strict=True)
        return any(quality >= READABLE and not quiet and not starts for quality, quiet, starts in leads)

    @property
    def trouble(self) -> str:
        """Why it can't be judged, by its least bad lead."""
        lead = self.quality.index(self.best)
        if self.dead[lead]:
            return "flat, saturated or lead off"
        return "no signal" if self.missing[lead] >= 0.5 else "noise"


@dataclass(frozen=True)
class IntervalState:
    """Beats and seconds of the intervals still owed."""

    next: int  # number of the next interval
    first_second: int  # what `seconds[0]` is
    seconds: tuple[Second, ...]
    doubts: tuple[tuple[float, ...], ...]  # from the same one on; they come later
    beats: tuple[Beat, ...]
    quiet_since_s: float  # the last beat, or the end of the last unreadable second, before the next interval


class Intervals:
    """Collects beats and seconds, gives verdicts."""

    def __init__(self, leads: Sequence[str], hop: int, *, abnormal: float, doubt: float, model: str):
        self._leads = leads
        self._hop = hop
        self._abnormal = abnormal
        self._doubt = doubt
        self._model = model
        self.state = IntervalState(0, 0, (), (), (), inf)

    def add(self, conditioned: Conditioned, beats: Sequence[Beat], doubts: NDArray[np.float64]) -> None:
        """Seconds that have come; the beats and the doubts, (n_leads, n) of earlier seconds, that came with them."""
        state = self.state
        gap = np.zeros(conditioned.quality.shape)
        if np.count_nonzero(conditioned.gap):
            gap = conditioned.gap.reshape(*gap.shape, RATE).sum(axis=2) / RATE
        flags = (conditioned.quiet, conditioned.restart)
        columns = (conditioned.quality, conditioned.waves, conditioned.dead, gap, *flags)
        rows = zip(*(column.T.tolist() for column in columns), strict=True)
        seconds = state.seconds + tuple(Second(*map(tuple, row)) for row in rows)
        self.state = IntervalState(
            state.next,
            state.first_second,
            seconds,
            state.doubts + tuple(map(tuple, doubts.T.tolist())),
            state.beats + tuple(beats),
            state.quiet_since_s,
        )

    @property
    def wanted_s(self) -> int:
        """Seconds of the stream with which the next verdict can be given."""
        return self._end() + DELAY_S

    def owed_at(self, second: int) -> bool:
        """Whether a verdict can be given once so many seconds of the stream have come."""
        return self.wanted_s <= second

    def due(self) -> list[Verdict]:
        """The verdicts that can be given."""
        verdicts = []
        while self.owed_at(self.state.first_second + len(self.state.seconds)):
            verdicts.append(self._next(float(self._end())))
        return verdicts

    def finish(self, duration_s: float) -> list[Verdict]:
        """The intervals still owed; a last shorter one if at least 2 s of it are there."""
        verdicts = []
        while self._end() <= duration_s:
            verdicts.append(self._next(float(self._end())))
        if duration_s - self.state.next * self._hop >= SHORTEST_S:
            verdicts.append(self._next(duration_s))
        return verdicts

    def _end(self) -> int:
        return self.state.next * self._hop + INTERVAL_S

    def _next(self, end_s: float) -> Verdict:
        state = self.state
        start, gone = state.next * self._hop, (state.next + 1) * self._hop
        doubts = state.doubts[: ceil(end_s) - start]
        seconds = [self._seen(second, doubt) for second, doubt in zip(state.seconds, doubts, strict=False)]
        verdict = self._judge(start, end_s, seconds, [b for b in state.beats if b.time_s < end_s])
        passed = seconds[: self._hop]
        _, quiet_since_s = self._asystole(start, gone, passed, [b for b in state.beats if b.time_s < gone])
        self.state = IntervalState(
            next=state.next + 1,
            first_second=gone,
            seconds=state.seconds[self._hop :],
            doubts=state.doubts[self._hop :],
            beats=tuple(beat for beat in state.beats if beat.time_s >= gone),
            quiet_since_s=quiet_since_s,
        )
        return verdict

    def _seen(self, second: Second, doubts: Sequence[float]) -> Second:
        """A second, once the model has seen it."""
        quality = tuple([seen(q, doubt, self._doubt) for q, doubt in zip(second.quality, doubts, strict=True)])
        return Second(quality, second.waves, second.dead, second.missing, second.quiet, second.starts)

    def _judge(self, start: int, end_s: float, seconds: Sequence[Second], beats: list[Beat]) -> Verdict:
        judged = [beat for beat in beats if seconds[int(beat.time_s) - start].deciding]
        abnormal = [beat for beat in judged if beat.anomaly >= self._abnormal]
        waves = no_organised_rhythm(start, end_s, [any(second.waves) for second in seconds])
        pause, _ = self._asystole(start, end_s, seconds, beats)
        findings = [found for found in (waves, None if waves else pause) if found]
        word: Word
        score, heart_rate = None, None
        shows = bool(abnormal or findings)
        needed = _READABLE_SHARE if shows else _NORMAL_SHARE
        if sum(second.readable for second in seconds) < needed * len(seconds):
            word, reason, findings = "unreadable", _troubles(seconds), []
        elif not judged and not findings:
            word, reason = "unreadable", "no beat to judge"
        else:
            word, reason = "abnormal" if shows else "normal", _reason(judged, len(beats), abnormal, findings)
            score = max((beat.anomaly for beat in judged), default=0.0)
            rr_s = [beat.rr_s for beat in beats if not isnan(beat.rr_s)]
            heart_rate = 60 / median(rr_s) if len(beats) > 1 and rr_s else None
        return Verdict(
            start_s=float(start),
            end_s=end_s,
            verdict=word,
            score=score,
            heart_rate=heart_rate,
            quality=sum(second.best for second in seconds) / len(seconds),
            n_beats=len(beats),
            n_abnormal=0 if word == "unreadable" else len(abnormal),
            reason="; ".join([reason, *self._bad_leads(seconds)]),
            beats=tuple(beats),
            findings=tuple(findings),
            model=self._model,
        )

    def _asystole(
        self, start: int, end_s: float, seconds: Sequence[Second], beats: list[Beat]
    ) -> tuple[Finding | None, float]:
        readable = [second.readable for second in seconds]
        if self.state.quiet_since_s == inf:  # a heart that has not been seen to beat has not stopped
            beats = [beat for beat in beats if seconds[int(beat.time_s) - start].deciding]
        return asystole(start, end_s, self.state.quiet_since_s, [beat.time_s for beat in beats], readable)

    def _bad_leads(self, seconds: Sequence[Second]) -> list[str]:
        bad = []
        for lead, name in enumerate(self._leads):
            lost = sum(second.quality[lead] < READABLE for second in seconds)
            if len(self._leads) > 1 and lost > len(seconds) / 2:
                bad.append(f"lead {name} unreadable")
        return bad


def _reason(beats: list[Beat], n_listed: int, abnormal: list[Beat], findings: Sequence[Finding]) -> str:
    parts = [f"{f.name} from {f.start_s:.1f} s" for f in findings]
    for aami, word in _CLASS_WORDS.items():
        of_class = [beat for beat in abnormal if beat.aami == aami]
        if of_class:
            surest = max(of_class, key=lambda beat: beat.anomaly)
            plural = "s" if len(of_class) > 1 else ""
            how = f"{aami} {getattr(surest, aami):.2f}" if aami else f"anomaly {surest.anomaly:.2f}"
            differs = f", {surest.differs}" if surest.differs else ""
            sure = f"{how} at {surest.time_s:.1f} s{_early(surest, beats)}{differs}"
            parts.append(f"{len(of_class)} {word} beat{plural} ({sure})")
    if parts:
        return ", ".join(parts)
    paced = sum(beat.aami == "Q" for beat in beats)
    judged = f"{len(beats)} of {n_listed} beats judged" if len(beats) < n_listed else f"{n_listed} beats"
    judged = "1 beat" if n_listed == 1 else judged
    if paced:
        return f"{judged}, {paced} of them paced or unclassifiable, none abnormal"
    return f"{judged}, all normal"


def _early(beat: Beat, beats: list[Beat]) -> str:
    """How premature it is against the interval's median RR interval, where that is worth a word."""
    share = 1 - beat.rr_s / median(b.rr_s for b in beats if not isnan(b.rr_s)) if beat.rr_s > 0 else 0.0
    return f", {100 * share:.0f} % early" if share >= _EARLY else ""


def _troubles(seconds: Sequence[Second]) -> str:
    counts = Counter(second.trouble for second in seconds if not second.readable)
    return ", ".join(f"{what} for {n} of {len(seconds)} s" for what, n in counts.most_common())

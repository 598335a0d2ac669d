"""From known seconds to verdicts: one for each interval of 5 s."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, isnan
from statistics import median

from ectopy.signal import DELAY_S, READABLE, Known, Second
from ectopy.verdict import INTERVAL_S, SHORTEST_S, Beat, Finding, Verdict, Word

_READABLE_SHARE = 0.6  # of an interval's seconds that can be judged ...
_NORMAL_SHARE = 1.0  # ... and of one that shows nothing abnormal: what was not seen was not normal
_SURE = "ventricular run"  # it looks like noise: that its seconds can't be judged says nothing against it
_EARLY = 0.1  # of the usual RR interval: from there a beat is said to be premature
_CLASS_WORDS = {"S": "supraventricular", "V": "ventricular", "F": "fusion", None: "abnormal"}


@dataclass
class IntervalState:
    """Seconds and beats of the intervals still owed."""

    next: int  # number of the next interval
    seconds: tuple[Second, ...]
    beats: tuple[Beat, ...]


class Intervals:
    """Collects known seconds, gives verdicts.

    found : the findings that touch a stretch from one second to another
    """

    def __init__(
        self,
        leads: Sequence[str],
        hop: int,
        found: Callable[[float, float], list[Finding]],
        *,
        abnormal: float,
        model: str,
    ):
        self._leads = leads
        self._hop = hop
        self._found = found
        self._abnormal = abnormal
        self._model = model
        self.state = IntervalState(0, (), ())

    @property
    def wanted_s(self) -> int:
        """Seconds of the stream with which the next verdict can be given."""
        return self._end() + DELAY_S

    def push(self, known: Known, upto_s: float) -> list[Verdict]:
        """The next second, once the findings know it; the verdicts up to `upto_s` that can be given with it."""
        state = self.state
        seconds, beats = (*state.seconds, known.second), state.beats + known.beats
        self.state = IntervalState(state.next, seconds, beats)
        verdicts = []
        while self._end() <= min(known.number + 1, upto_s):
            verdicts.append(self._next(float(self._end())))
        return verdicts

    def finish(self, duration_s: float) -> list[Verdict]:
        """A last shorter interval, if at least 2 s of it are there."""
        if duration_s - self.state.next * self._hop >= SHORTEST_S:
            return [self._next(duration_s)]
        return []

    def _end(self) -> int:
        return self.state.next * self._hop + INTERVAL_S

    def _next(self, end_s: float) -> Verdict:
        state = self.state
        start, gone = state.next * self._hop, (state.next + 1) * self._hop
        seconds = state.seconds[: ceil(end_s) - start]
        verdict = self._judge(start, end_s, seconds, [b for b in state.beats if b.time_s < end_s])
        self.state = IntervalState(
            next=state.next + 1,
            seconds=state.seconds[self._hop :],
            beats=tuple(beat for beat in state.beats if beat.time_s >= gone),
        )
        return verdict

    def _judge(self, start: int, end_s: float, seconds: Sequence[Second], beats: list[Beat]) -> Verdict:
        placed = [(beat, seconds[int(beat.time_s) - start]) for beat in beats]
        seconds = seconds[: int(end_s) - start]  # of a last one there is a part only
        placed = [(beat, second) for beat, second in placed if second.decides(beat)]
        judged, doubtful = [beat for beat, _ in placed], [beat for beat, second in placed if second.doubtful(beat)]
        abnormal = [beat for beat in judged if beat.anomaly >= self._abnormal]
        findings = self._found(float(start), end_s)
        word: Word
        score, heart_rate = None, None
        certain = any(finding.abnormal for finding in findings) or any(beat not in doubtful for beat in abnormal)
        shows = certain or bool(abnormal)
        needed = _READABLE_SHARE if shows else _NORMAL_SHARE
        sure = any(finding.name == _SURE for finding in findings)
        if not sure and sum(second.readable for second in seconds) < needed * len(seconds):
            word, reason, findings = "unreadable", _troubles(seconds), []
        elif not judged and not shows:
            word, reason = "unreadable", "no beat to judge"
        elif doubtful and not certain:
            word, reason, findings = "unreadable", "beats that may be abnormal, or noise", []
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

    def _bad_leads(self, seconds: Sequence[Second]) -> list[str]:
        bad: list[str] = []
        if len(self._leads) == 1:
            return bad
        for lead, name in enumerate(self._leads):
            lost = sum(second.quality[lead] < READABLE for second in seconds)
            if lost > len(seconds) / 2:
                bad.append(f"lead {name.removeprefix('lead ')} unreadable")
        return bad


def _reason(beats: list[Beat], n_listed: int, abnormal: list[Beat], findings: Sequence[Finding]) -> str:
    parts = [str(finding) for finding in findings if finding.abnormal]
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

"""The heart's rate where it is fast or slow, in steps.

The rate is that of the median RR interval of the last 6 s; where the last two are long, theirs: a slow heart gives few.
RR intervals of beats that decide nothing don't count, nor pauses. Those before a gap and those behind it make no rate
together; what lasts goes on until a rate is known again, for 6 s at most. One over a shorter gap doesn't count where it
may be two.

`tachycardia` from 100 a minute on, in steps of 10; `bradycardia` from 60 down, in steps of 5. Which step is too far is
for the alarms' limits to say; from 150 and 35 on it is abnormal by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, floor, isnan
from statistics import median

from ectopy.signal.findings.telling import Telling
from ectopy.signal.seconds import Known
from ectopy.verdict import Beat

_LAST_S = 6.0
_FEWEST = 3  # RR intervals
_LONG_S, _PAUSE_S = 1.3, 3.0
_FAST, _SLOW = 100, 60
_EXTREME = 150, 35
_TWO = 1.5  # times the usual RR interval: over a gap, however short, it may be two of them
_SLACK = 3  # a minute, that a rate must fall back by before a lower step is told


@dataclass
class Rate:
    """rr : when the RR intervals of the last seconds ended, and how long they were; NaN: the first beat behind a gap
    torn : the last seconds in which a beat may be missing
    """

    rr: list[tuple[float, float]] = field(default_factory=list)
    torn: list[int] = field(default_factory=list)

    def push(self, known: Known, tell: Telling) -> None:
        now_s = known.number + 1.0
        while self.torn and self.torn[0] <= known.number - 2 * _PAUSE_S:
            self.torn.pop(0)
        if known.second.torn:
            self.torn.append(known.number)
        for beat in known.beats:
            known_rr = known.second.decides(beat) and beat.rr_s < _PAUSE_S and not self._may_be_two(beat)
            if isnan(beat.rr_s) or known_rr:
                self.rr.append((beat.time_s, beat.rr_s))
        while self.rr and self.rr[0][0] <= now_s - _LAST_S:
            self.rr.pop(0)
        rate = self._rate()
        if not rate and any(isnan(rr_s) for _, rr_s in self.rr):
            return
        self._step("tachycardia", now_s, rate, floor(rate / 10) * 10 if rate >= _FAST else 0, tell)
        self._step("bradycardia", now_s, rate, ceil(rate / 5) * 5 if 0 < rate <= _SLOW else 0, tell)

    def watchful(self) -> bool:
        """Whether something may be about to be found."""
        last = self._together()[-2:]
        return bool(last) and (max(last) <= 0.45 or last[-1] >= 1.4)

    def _rate(self) -> float:
        """Beats a minute; 0 where too few are known."""
        last = self._together()
        if len(last) >= 2 and min(last[-2:]) >= _LONG_S:
            return 120 / sum(last[-2:])
        return 60 / median(last) if len(last) >= _FEWEST else 0.0

    def _may_be_two(self, beat: Beat) -> bool:
        """A beat may be missing in its RR interval."""
        if not [second for second in self.torn if beat.time_s - beat.rr_s < second + 1 and second < beat.time_s]:
            return False
        usual = self._together()
        return bool(usual) and beat.rr_s >= _TWO * median(usual)

    def _together(self) -> list[float]:
        """The RR intervals behind the last gap."""
        last: list[float] = []
        for _, rr_s in self.rr:
            if isnan(rr_s):
                last.clear()
            else:
                last.append(rr_s)
        return last

    def _step(self, name: str, now_s: float, rate: float, step: float, tell: Telling) -> None:
        before = tell.lasts(name)
        if before is not None and before.value is not None:
            back = before.value - _SLACK <= rate if name == "tachycardia" else rate <= before.value + _SLACK
            further = step > before.value if name == "tachycardia" else 0 < step < before.value
            if rate and back and not further:
                return
            tell.end(name, now_s)
        if step:
            extreme = step >= _EXTREME[0] if name == "tachycardia" else step <= _EXTREME[1]
            tell.begin(name, now_s, float(step), abnormal=extreme)

"""`irregular rhythm` (possible atrial fibrillation): RR intervals of the last minute change from beat to beat, and no P
wave comes before the beats.

A logistic index over both, fitted by `ectopy train rhythm`, which writes `irregular.json`. Intervals beside ventricular
beats are left out: premature beats are no fibrillation. Beat-to-beat change is that of Tateno & Glass 2001
(doi 10.1007/BF02345439); `ectopy.signal.PWaves` measures how alike P waves are, which tells frequent premature beats
from fibrillation.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from math import exp, isnan, log, nan
from pathlib import Path
from statistics import median

from ectopy.signal.findings.telling import Telling
from ectopy.signal.seconds import Known

FEATURES = ("change", "P waves alike")
WINDOW_S, EVERY_S = 60.0, 5
_PLAIN = 0.5  # P(V or F) of a beat that is none of them, at whatever operating point
_FEWEST = 24  # RR intervals
_LEAVE = 0.8  # of the threshold: below it is over
_SHARE = 0.5  # of the beats that must be of use: where fewer are, ventricular beats make it irregular


@cache
def _fitted() -> tuple[float, tuple[float, ...], float, float]:
    fitted = json.loads(Path(__file__).with_name("irregular.json").read_text(encoding="utf-8"))
    return fitted["intercept"], tuple(fitted["weights"][name] for name in FEATURES), fitted["threshold"], fitted["sure"]


def irregularity(intercept: float, weights: Sequence[float], values: Sequence[float]) -> float:
    """The index, 0 to 1, of a minute's `FEATURES`."""
    z = intercept + sum(weight * value for weight, value in zip(weights, values, strict=True))
    return 1 / (1 + exp(-min(max(z, -50.0), 50.0)))


@dataclass
class Interval:
    """An RR interval between two plain beats.

    end_s, rr_s : when it ended, and its length
    step : how much it differs from the one right before it; NaN where that was none between two plain beats
    alike : what lies before its two beats, from `signal.PWaves`
    """

    end_s: float
    rr_s: float
    step: float
    alike: float


@dataclass
class Irregular:
    """The RR intervals of the last minute.

    beats : times of all beats
    plain : the last beat decides, and is no ventricular one; without classes nobody knows, and nothing is found
    follows : an interval that ends next comes right after the last one
    sure : so surely fibrillation that no beat is called premature
    """

    intervals: list[Interval] = field(default_factory=list)
    beats: list[float] = field(default_factory=list)
    plain: bool = False
    follows: bool = False
    sure: bool = False

    def push(self, known: Known, tell: Telling) -> None:
        self.remember(known)
        if (known.number + 1) % EVERY_S == 0:
            self._look(known.number + 1.0, tell)

    def remember(self, known: Known) -> None:
        """The beats of the next second."""
        for beat, alike in zip(known.beats, known.alike, strict=True):
            plain = beat.V + beat.F < _PLAIN and known.second.decides(beat)
            counts = plain and self.plain and not isnan(beat.rr_s)
            if counts:
                step = abs(beat.rr_s - self.intervals[-1].rr_s) if self.follows and self.intervals else nan
                self.intervals.append(Interval(beat.time_s, beat.rr_s, step, alike))
            self.plain, self.follows = plain, counts
            self.beats.append(beat.time_s)
        gone_s = known.number + 1.0 - WINDOW_S
        while self.intervals and self.intervals[0].end_s <= gone_s:
            self.intervals.pop(0)
        while self.beats and self.beats[0] <= gone_s:
            self.beats.pop(0)

    def features(self) -> tuple[float, float] | None:
        """`FEATURES`; None where there are too few intervals."""
        alike = [one.alike for one in self.intervals if not isnan(one.alike)]
        if len(alike) < _FEWEST:
            return None
        steps = [one.step for one in self.intervals[1:] if not isnan(one.step)]  # both of each within the minute
        if len(steps) < _FEWEST // 2:
            return None
        return log(median(steps) / median([one.rr_s for one in self.intervals]) + 0.005), median(alike)

    @property
    def plainly(self) -> bool:
        """Whether enough beats are plain: it isn't ventricular ones that make the minute irregular."""
        return len(self.intervals) >= _SHARE * len(self.beats)

    def _look(self, now_s: float, tell: Telling) -> None:
        self.sure = False
        if not self.intervals:
            tell.end("irregular rhythm", now_s - WINDOW_S)
            return
        values = self.features()
        if values is None:
            return
        intercept, weights, threshold, sure = _fitted()
        p = irregularity(intercept, weights, values) if self.plainly else 0.0
        self.sure = p >= sure
        middle_s = max((self.intervals[0].end_s + self.intervals[-1].end_s) / 2, 0.0)  # it changed about here
        lasting = tell.lasts("irregular rhythm")
        if lasting is None and p >= threshold:
            tell.begin("irregular rhythm", middle_s)
        elif lasting is not None and p < _LEAVE * threshold:
            tell.end("irregular rhythm", middle_s)

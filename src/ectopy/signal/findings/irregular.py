"""`irregular rhythm` (possible atrial fibrillation): RR intervals of the last minute that follow no order.

A logistic index over features of RR intervals, fitted by `ectopy train rhythm`, which writes `irregular.json`.
Intervals beside ventricular beats are left out: premature beats are no fibrillation. The features follow what has been
found to tell it: beat-to-beat change (Tateno & Glass 2001, doi 10.1007/BF02345439), turning points (Dash et al. 2009,
doi 10.1007/s10439-009-9740-z) and how often stretches of intervals come again (Lake & Moorman 2011,
doi 10.1152/ajpheart.00561.2010).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from math import exp, isnan, log
from pathlib import Path

import numpy as np

from ectopy.signal.findings.telling import Telling
from ectopy.signal.seconds import Known

FEATURES = ("change", "change over two", "alike", "turns", "entropy")
WINDOW_S, EVERY_S = 60.0, 5
_PLAIN = "N", "S", "Q"  # without classes nobody knows which beats are ventricular, and nothing is found
_FEWEST = 24  # RR intervals
_ALIKE = 0.04  # of the median RR interval: two that differ by less are alike
_LEAVE = 0.8  # of the threshold: below it is over
SHARE = 0.5  # of the beats that must be of use: where fewer are, ventricular beats make it irregular


def irregularity(rr_s: Sequence[float], follows: Sequence[bool]) -> tuple[float, ...] | None:
    """`FEATURES` of RR intervals in the order of time; None where they are too few.

    follows : whether an interval comes right after the one before it in `rr_s`
    """
    rr = np.asarray(rr_s)
    if len(rr) < _FEWEST:
        return None
    after = np.asarray(follows)[1:]
    rr = rr / _median(rr)
    change = rr[1:] - rr[:-1]
    both = after[1:] & after[:-1]
    steps, over, turning = np.abs(change[after]), np.abs(rr[2:] - rr[:-2])[both], (change[1:] * change[:-1])[both] < 0
    if len(over) < _FEWEST // 2:
        return None
    return (
        log(_median(steps) + 0.005),
        log(_median(over) + 0.005),
        np.count_nonzero(steps < _ALIKE) / len(steps),
        np.count_nonzero(turning) / len(turning),
        _entropy(rr, after),
    )


def _entropy(rr: np.ndarray, after: np.ndarray) -> float:
    """How surprising the next interval is where the one before is alike: sample entropy with m = 1."""
    first, second = rr[:-1][after], rr[1:][after]
    pairs = np.abs(first[:, None] - first) < _ALIKE * 2
    both = pairs & (np.abs(second[:, None] - second) < _ALIKE * 2)
    n_pairs, n_both = ((np.count_nonzero(alike) - len(first)) // 2 for alike in (pairs, both))  # each once, none alone
    return log((n_pairs + 1.0) / (n_both + 0.5))


def _median(x: np.ndarray) -> float:
    """As `np.median`, which takes ten times as long for so few."""
    ranks, middle = np.sort(x).tolist(), len(x) // 2
    return ranks[middle] if len(x) % 2 else (ranks[middle - 1] + ranks[middle]) / 2


@cache
def _fitted() -> tuple[float, tuple[float, ...], float]:
    fitted = json.loads(Path(__file__).with_name("irregular.json").read_text(encoding="utf-8"))
    return fitted["intercept"], tuple(fitted["weights"][name] for name in FEATURES), fitted["threshold"]


@dataclass
class Irregular:
    """The RR intervals of the last minute.

    rr : when each ended, its length in seconds, and whether it follows the one before
    beats : times of all beats
    plain : the last beat was no ventricular one
    """

    rr: list[tuple[float, float, bool]] = field(default_factory=list)
    beats: list[float] = field(default_factory=list)
    plain: bool = False
    follows: bool = False

    def push(self, known: Known, tell: Telling) -> None:
        for beat in known.beats:
            plain = beat.aami in _PLAIN and known.second.decides(beat)
            counts = plain and self.plain and not isnan(beat.rr_s)
            if counts:
                self.rr.append((beat.time_s, beat.rr_s, self.follows))
            self.plain, self.follows = plain, counts
            self.beats.append(beat.time_s)
        if (known.number + 1) % EVERY_S == 0:
            self._look(known.number + 1.0, tell)

    def _look(self, now_s: float, tell: Telling) -> None:
        self.rr = [row for row in self.rr if row[0] > now_s - WINDOW_S]
        self.beats = [at_s for at_s in self.beats if at_s > now_s - WINDOW_S]
        lasting = tell.lasts("irregular rhythm")
        if not self.rr:
            tell.end("irregular rhythm", now_s - WINDOW_S)
            return
        values = irregularity([rr_s for _, rr_s, _ in self.rr], [follows for *_, follows in self.rr])
        if values is None:
            return
        intercept, weights, threshold = _fitted()
        z = intercept + sum(weight * value for weight, value in zip(weights, values, strict=True))
        p = 1 / (1 + exp(-min(max(z, -50.0), 50.0)))
        middle_s = max((self.rr[0][0] + self.rr[-1][0]) / 2, 0.0)  # it changed about here
        p *= len(self.rr) >= SHARE * len(self.beats)
        if lasting is None and p >= threshold:
            tell.begin("irregular rhythm", middle_s)
        elif lasting is not None and p < _LEAVE * threshold:
            tell.end("irregular rhythm", middle_s)

"""Figures from counts: shares with intervals over patients, alarms a day, quantiles of delays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from ectopy.evaluation.bootstrap import draw_patients, interval_95
from ectopy.evaluation.findings.judge import Delay, JudgedRecord
from ectopy.evaluation.findings.spans import Match


@dataclass(frozen=True)
class Figure:
    """A share, or a rate, and its 95 % interval; NaN where it does not exist."""

    value: float
    low: float = nan
    high: float = nan


@dataclass(frozen=True)
class Agreement:
    """How well one kind of episode is found: by episodes, and by their seconds."""

    counts: Match
    records: int  # that hold one
    se: Figure
    ppv: Figure
    duration_se: Figure
    duration_ppv: Figure
    duration_f1: Figure


def agreement(records: Sequence[JudgedRecord], kind: str) -> Agreement:
    """Of one kind over records, gross; intervals by bootstrap over patients."""
    patients: dict[str, Match] = {}
    for record in records:
        patients[record.patient] = patients.get(record.patient, Match()) + record.matches[kind]
    each = np.array([astuple(one) for one in patients.values()])
    total, draws = each.sum(axis=0), draw_patients(len(each)) @ each
    names = list(Match.__dataclass_fields__)

    def share(part: dict[str, float], whole: dict[str, float]) -> Figure:
        """Of weighted sums of counts."""
        over, under = (np.array([w.get(name, 0.0) for name in names]) for w in (part, whole))
        if np.count_nonzero(each @ under) < 2:  # one patient: nothing to draw from
            return Figure(float(total @ over / (total @ under))) if total @ under else Figure(nan)
        return _share(total @ over, total @ under, draws @ over, draws @ under)

    return Agreement(
        counts=sum(patients.values(), Match()),
        records=sum(record.matches[kind].episodes > 0 for record in records),
        se=share({"found": 1}, {"episodes": 1}),
        ppv=share({"true": 1}, {"told": 1}),
        duration_se=share({"both_s": 1}, {"reference_s": 1}),
        duration_ppv=share({"both_s": 1}, {"told_s": 1}),
        duration_f1=share({"both_s": 2}, {"reference_s": 1, "told_s": 1}),
    )


def share_of(yes: Sequence[bool]) -> Figure:
    """How many of them, each a patient of its own."""
    if not yes:
        return Figure(nan)
    draws = draw_patients(len(yes)) @ np.array(yes, float)
    return _share(sum(yes), len(yes), draws, np.full(len(draws), len(yes)))


def a_day(n: int, hours: float) -> Figure:
    """Events a day of 24 h, extrapolated, with the exact Poisson 95 % interval (chi-square quantiles)."""
    if not hours:
        return Figure(nan)
    low = chi2.ppf(0.025, 2 * n) / 2 if n else 0.0
    return Figure(*(float(count * 24 / hours) for count in (n, low, chi2.ppf(0.975, 2 * n + 2) / 2)))


def delay_quantiles(delays: Sequence[Delay]) -> tuple[float, float, float]:
    """The median, the 95th percentile and the longest, in seconds, of those told."""
    seconds = [delay.seconds for delay in delays if delay.seconds is not None]
    if not seconds:
        return nan, nan, nan
    median, p95 = np.percentile(seconds, [50, 95])
    return float(median), float(p95), max(seconds)


def _share(part: float, whole: float, parts: NDArray[np.float64], wholes: NDArray[np.float64]) -> Figure:
    if not whole:
        return Figure(nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = interval_95(np.where(wholes > 0, parts / wholes, nan))
    return Figure(float(part / whole), low, high)

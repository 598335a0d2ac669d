"""The reference episodes of a record, from its annotations of rhythm and of beats."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np

from ectopy.errors import RecordError
from ectopy.evaluation.findings.spans import Span, length_s, merged, touches, without
from ectopy.evaluation.rhythms import rhythms
from ectopy.evaluation.scope import flutter_stretches
from ectopy.recording import Recording

WITHIN_S = 0.150  # episodes made of beats are matched as beats are
RATE_S = 6.0  # over which a rate is the median's
EXTREME = 150, 35  # beats a minute: at and above, at and below
_APART_S = 2.0  # ventricular beats further apart are not in a row
_RUN, _LONG_RUN, _FAST_S = 3, 5, 2.4  # beats of a run, of a long one; five beats at 100 a minute
_STILL_S = 4.0


@dataclass(frozen=True)
class Reference:
    """What a record holds, in seconds.

    rhythms : the annotated rhythms by PhysioNet's names
    flutter : ventricular flutter or fibrillation, annotated as rhythm or between `[` and `]`
    runs : rhythm VT, and three or more V beats in a row
    fast_runs : those of them with five beats at 100 a minute or faster, from the first of these five on
    long_runs : rhythm VT, and five or more V beats in a row, at any rate
    still : 4 s and more without a beat
    fast, slow : where the median RR interval of the last 6 s gives 150 beats a minute or more, 35 or less
    """

    rhythms: dict[str, list[Span]]
    flutter: list[Span]
    runs: list[Span]
    fast_runs: list[Span]
    long_runs: list[Span]
    still: list[Span]
    fast: list[Span]
    slow: list[Span]


def reference_episodes(recording: Recording) -> Reference:
    """The reference of an annotated recording.

    Raises
    ------
    RecordError
        If it has no annotations.
    """
    marks, fs = recording.annotations, float(recording.fs)
    if marks is None:
        raise RecordError(f"{recording.name}: no reference annotations (.atr) beside it; nothing to compare with")
    named: dict[str, list[Span]] = {}
    for rhythm in rhythms(recording):
        named.setdefault(rhythm.name, []).append((rhythm.start_s, rhythm.end_s))
    bracketed = flutter_stretches(marks, len(recording.samples)) / fs
    flutter = merged([*named.get("VFL", []), *((start_s, end_s) for start_s, end_s in bracketed.tolist())])
    beats = marks.beats
    time_s, aami = beats.sample / fs, beats.aami
    runs = without(merged([*named.get("VT", []), *ventricular_rows(time_s, aami)]), flutter)
    rr = [(a, b) for a, b in pairwise(time_s.tolist()) if not touches((a, b), flutter)]
    fast, slow = _extremes(rr)
    return Reference(
        rhythms=named,
        flutter=flutter,
        runs=runs,
        fast_runs=_fast(runs, time_s[np.isin(aami, ["V", "F"])].tolist()),
        long_runs=merged([*named.get("VT", []), *ventricular_rows(time_s, aami, _LONG_RUN)]),
        still=[span for span in rr if length_s([span]) >= _STILL_S],
        fast=fast,
        slow=slow,
    )


def ventricular_rows(time_s: np.ndarray, aami: np.ndarray, least: int = _RUN) -> list[Span]:
    """From the first to the last of `least` or more V beats with none of another class between, under 2 s apart.

    time_s, aami : (n_beats,) in the order of time
    """
    rows: list[list[float]] = [[]]
    for at_s, name in zip(time_s.tolist(), aami.tolist(), strict=True):
        if name != "V" or (rows[-1] and at_s - rows[-1][-1] >= _APART_S):
            rows.append([])
        if name == "V":
            rows[-1].append(at_s)
    return [(row[0], row[-1]) for row in rows if len(row) >= least]


def _fast(runs: list[Span], ventricular_s: list[float]) -> list[Span]:
    """Those with five ventricular (or fusion) beats at 100 a minute, from the first of these on."""
    found = []
    for start_s, end_s in runs:
        row = [at_s for at_s in ventricular_s if start_s <= at_s <= end_s]
        fives = zip(row, row[_LONG_RUN - 1 :], strict=False)
        onset_s = next((first_s for first_s, fifth_s in fives if fifth_s - first_s <= _FAST_S), None)
        if onset_s is not None:
            found.append((onset_s, end_s))
    return found


def _extremes(rr: list[Span]) -> tuple[list[Span], list[Span]]:
    """Where the rate is extreme: three RR intervals of 6 s at least, or two that fill half of them."""
    fast, slow = [], []
    for last, (_, now_s) in enumerate(rr):
        lately = [b - a for a, b in rr[max(last - 60, 0) : last + 1] if b > now_s - RATE_S]
        if len(lately) < 3 and not (len(lately) == 2 and sum(lately) >= RATE_S / 2):
            continue
        rate = 60 / median(lately)
        if rate >= EXTREME[0]:
            fast.append((now_s - RATE_S, now_s))
        elif rate <= EXTREME[1]:
            slow.append((now_s - RATE_S, now_s))
    return merged(fast), merged(slow)

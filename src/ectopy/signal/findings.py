"""What rules over beats and signal say of an interval. Seconds count from the stream's first sample."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from ectopy.verdict import Finding

_ASYSTOLE_S = 4.0
_WAVES_S = 4


def no_organised_rhythm(start_s: int, end_s: float, waves: Sequence[bool]) -> Finding | None:
    """An oscillation of 2 to 10 Hz without QRS complexes for 4 s: ventricular flutter or fibrillation.

    A last interval of under 4 s needs all of its seconds.

    waves : one value for each second from `start_s` on
    """
    run, longest, since = 0, 0, start_s
    for second, waving in enumerate(waves, start_s):
        run = run + 1 if waving else 0
        if run > longest:
            longest, since = run, second + 1 - run
    if longest < min(_WAVES_S, len(waves)):
        return None
    return Finding("no organised rhythm", float(since), min(since + longest, end_s), True)


def asystole(
    start_s: int, end_s: float, quiet_since_s: float, beats_s: Sequence[float], readable: Sequence[bool]
) -> tuple[Finding | None, float]:
    """A living baseline without a beat for 4 s; and since when it has been quiet at `end_s`.

    quiet_since_s : time of the last beat, or of the end of the last unreadable second, before the interval; infinite
        before the first beat: what never beat has not stopped
    beats_s : times of the beats in it
    readable : one value for each second from `start_s` on
    """
    if quiet_since_s == inf:
        if not beats_s:
            return None, inf
        quiet_since_s = beats_s[0]
    breaks = [(beat_s, beat_s) for beat_s in beats_s]
    breaks += [(float(second), second + 1.0) for second, good in enumerate(readable, start_s) if not good]
    found = None
    for quiet_until_s, resumes_s in [*sorted(breaks), (end_s, -inf)]:
        if found is None and quiet_until_s - quiet_since_s >= _ASYSTOLE_S:
            found = Finding("asystole", quiet_since_s, quiet_until_s, True)
        quiet_since_s = max(quiet_since_s, resumes_s)
    return found, quiet_since_s

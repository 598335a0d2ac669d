"""A heart that pauses, stands still, or swings without beating.

`pause`: 3 s without a beat on a living baseline, and without a gap in which one may lie. `asystole`: 4 s. `no organised
rhythm`: an oscillation of 2 to 10 Hz without QRS complexes, as in ventricular flutter and fibrillation.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from ectopy.signal.findings.telling import Telling
from ectopy.signal.seconds import Known

_PAUSE_S, _ASYSTOLE_S = 3.0, 4.0
_WAVES_S = 4
_SOON_S = 1.5  # without a beat: longer than most hearts wait


@dataclass
class Quiet:
    """What is remembered of the quiet.

    since_s : the last beat, or the end of the last second that can't be judged; infinite before the first beat: a heart
        that has not been seen to beat has not stopped
    whole_s : the end of the last second of which something is missing
    waves : seconds in a row that oscillate
    """

    since_s: float = inf
    whole_s: float = 0.0
    waves: int = 0

    def push(self, known: Known, tell: Telling) -> None:
        begin_s, end_s = known.number, known.number + 1.0
        self._waves(known, tell)
        if known.second.torn:
            self.whole_s = end_s
        for beat in known.beats:
            if self.since_s == inf and not known.second.decides(beat):
                continue
            self._silence(beat.time_s, tell)
            self._stop(beat.time_s, tell)
            self.since_s = beat.time_s
        if self.since_s == inf:
            return
        if not known.second.readable:
            self._silence(float(begin_s), tell)
            self._stop(float(begin_s), tell)
            self.since_s = end_s
        self._silence(end_s, tell)

    def watchful(self, known: Known) -> bool:
        """Whether something may be about to be found."""
        return any(known.waves) or known.number + 1 - self.since_s >= _SOON_S

    def _silence(self, until_s: float, tell: Telling) -> None:
        """No beat up to here."""
        if until_s - self.since_s < _PAUSE_S:
            return
        for name, least_s in (("pause", _PAUSE_S), ("asystole", _ASYSTOLE_S)):
            since_s = max(self.since_s, self.whole_s) if name == "pause" else self.since_s
            if until_s - since_s >= least_s and not (tell.lasts(name) or tell.lasts("no organised rhythm")):
                tell.begin(name, self.since_s)

    def _stop(self, at_s: float, tell: Telling) -> None:
        for name in ("pause", "asystole"):
            tell.end(name, at_s)

    def _waves(self, known: Known, tell: Telling) -> None:
        if not known.waves[0]:
            self.waves = 0
            tell.end("no organised rhythm", float(known.number))
        elif tell.lasts("no organised rhythm") is None:
            ahead = known.waves.index(False) if False in known.waves else len(known.waves)
            if self.waves + ahead >= _WAVES_S:
                start_s = float(known.number - self.waves)
                tell.begin("no organised rhythm", start_s)
                self._stop(start_s, tell)
            self.waves += 1

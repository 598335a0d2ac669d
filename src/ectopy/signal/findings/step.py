"""The step of the stream that finds: known seconds in, findings out.

Findings are looked for when the service has to work anyway, at 5k + 2 and 5k + 5 s; every second where something that
can't wait may be about to be found. So a life-threatening one is told some 4 to 8 s after its onset, at little cost;
`ectopy evaluate findings` measures it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isnan

from ectopy.signal.beats import aami_class
from ectopy.signal.findings.ectopic import Ectopic
from ectopy.signal.findings.irregular import Irregular
from ectopy.signal.findings.quiet import Quiet
from ectopy.signal.findings.rate import Rate
from ectopy.signal.findings.technical import Technical
from ectopy.signal.findings.telling import Telling
from ectopy.signal.seconds import DELAY_S, Known
from ectopy.verdict import INTERVAL_S, Beat, Finding

_LOOKS = DELAY_S, INTERVAL_S  # of 5 s
_TECHNICAL = "lead off", "unreadable"
_COVERED = {"pause": "asystole", "ventricular rhythm": "ventricular run"}  # a finding that says nothing beside another


@dataclass
class FindingsState:
    """What the rules remember; bounded."""

    telling: Telling
    technical: Technical
    quiet: Quiet
    ectopic: Ectopic
    rate: Rate
    irregular: Irregular
    rr_known: bool = False  # of the last beat


class Findings:
    """What the rules find in a stream.

    abnormal : anomaly from which a beat is S, V or F
    """

    def __init__(self, abnormal: float) -> None:
        self._abnormal = abnormal
        self.state = FindingsState(Telling(1 + DELAY_S), Technical(), Quiet(), Ectopic(), Rate(), Irregular())

    @property
    def look_s(self) -> int:
        """The second of the stream with which something may be told next."""
        return self.state.telling.look_s

    def push(self, known: Known) -> Known:
        """The next second; gives it back, its beats as the rhythm explains them: where the atria fibrillate, none is
        supraventricular, and none that has no RR interval before its own to be compared with."""
        state = self.state
        tell = state.telling
        state.irregular.push(known, tell)
        beats = tuple([self._explained(beat) for beat in known.beats])
        known = replace(known, beats=beats) if beats != known.beats else known
        state.technical.push(known, tell)
        state.quiet.push(known, tell)
        state.ectopic.push(known, tell)
        state.rate.push(known, tell)
        come = known.number + 1 + DELAY_S
        if come >= tell.look_s:
            watchful = state.quiet.watchful(known) or state.ectopic.watchful() or state.rate.watchful()
            tell.look_s = come + 1 if watchful else _next_look(come)
        return known

    def _explained(self, beat: Beat) -> Beat:
        before, self.state.rr_known = self.state.rr_known, not isnan(beat.rr_s)
        can_be = before and self.state.rr_known and not self.state.irregular.sure
        return self._never_premature(beat) if beat.S > 0 and not can_be else beat

    def _never_premature(self, beat: Beat) -> Beat:
        """The probabilities of the other classes, given that it isn't S."""
        rest = beat.N + beat.V + beat.F + beat.Q
        n, v, f, q = (p / rest for p in (beat.N, beat.V, beat.F, beat.Q)) if rest else (1.0, 0.0, 0.0, 0.0)
        aami, anomaly = aami_class(n, 0.0, v, f, q, self._abnormal)
        differs = beat.differs if anomaly >= self._abnormal else None
        return replace(beat, aami=aami, N=n, S=0.0, V=v, F=f, Q=q, anomaly=anomaly, differs=differs)

    def during(self, start_s: float, end_s: float) -> list[Finding]:
        """What of the heart touches an interval, the last of each step; ask for intervals in order."""
        found = self.state.telling.during(start_s, end_s)
        names = {finding.name for finding in found}
        last = {f.name if f.value is not None else (f.name, f.start_s): f for f in found if f.name not in _TECHNICAL}
        return [finding for finding in last.values() if _COVERED.get(finding.name) not in names]

    def told(self, come_s: float) -> list[Finding]:
        """What is new since the last time, with so many seconds of the stream in: what is told with one second comes
        at once."""
        tell = self.state.telling
        told = [finding for finding in tell.told if finding.told_s <= come_s]
        tell.told = tell.told[len(told) :]
        return told

    def lasting(self) -> list[Finding]:
        """What has begun and not ended."""
        return [*self.state.telling.lasting]

    def finish(self, end_s: float) -> None:
        """The stream ends here, and with it whatever lasts."""
        tell = self.state.telling
        for finding in [*tell.lasting]:
            tell.end(finding.name, end_s)


def _next_look(come: int) -> int:
    whole, rest = divmod(come, INTERVAL_S)
    return whole * INTERVAL_S + next(look for look in _LOOKS if look > rest)

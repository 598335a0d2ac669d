"""Findings that begin, last and end, and who is still to be told of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ectopy.verdict import Finding


@dataclass
class Telling:
    """One stream's findings.

    look_s : the second of the stream with which what is found now is told
    lasting : those that have begun
    ended : those that are over, while an interval that they touch may be owed
    told : what is new, in order
    """

    look_s: int
    lasting: list[Finding] = field(default_factory=list)
    ended: list[Finding] = field(default_factory=list)
    told: list[Finding] = field(default_factory=list)

    def lasts(self, name: str) -> Finding | None:
        """The finding of that name that has begun, if there is one."""
        for finding in self.lasting:
            if finding.name == name:
                return finding
        return None

    def begin(self, name: str, start_s: float, value: float | None = None, *, abnormal: bool = True) -> None:
        finding = Finding(name, start_s, None, abnormal, float(self.look_s), value)
        self.lasting.append(finding)
        self.told.append(finding)

    def end(self, name: str, end_s: float) -> None:
        """It is over; nothing happens where none of that name has begun."""
        for finding in self.lasting:
            if finding.name == name:
                self.lasting.remove(finding)
                self._over(replace(finding, end_s=max(end_s, finding.start_s), told_s=float(self.look_s)))
                return

    def was(self, name: str, start_s: float, end_s: float) -> None:
        """One that is over by the time it is known."""
        self._over(Finding(name, start_s, end_s, True, float(self.look_s)))

    def during(self, start_s: float, end_s: float) -> list[Finding]:
        """Those that touch an interval, with their end there; none of them is asked for twice by a later one."""
        self.ended = [f for f in self.ended if f.end_s is not None and f.end_s > start_s]
        touching = [f for f in [*self.ended, *self.lasting] if f.start_s < end_s]
        return [replace(f, end_s=end_s if f.end_s is None else min(f.end_s, end_s)) for f in touching]

    def _over(self, finding: Finding) -> None:
        self.ended.append(finding)
        self.told.append(finding)

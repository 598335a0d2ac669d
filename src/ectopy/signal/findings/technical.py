"""Signal that can't be judged: `lead off` where every lead is flat, saturated or off, else `unreadable`."""

from __future__ import annotations

from dataclasses import dataclass

from ectopy.signal.findings.telling import Telling
from ectopy.signal.seconds import Known

_BACK_S = 3  # in a row that can be judged again: then it is over


@dataclass
class Technical:
    """back: seconds in a row that can be judged."""

    back: int = 0

    def push(self, known: Known, tell: Telling) -> None:
        second = known.second
        if second.readable:
            self.back += 1
            if self.back == _BACK_S:
                for name in ("lead off", "unreadable"):
                    tell.end(name, known.number + 1.0 - _BACK_S)
            return
        self.back = 0
        now, other = ("lead off", "unreadable") if all(second.dead) else ("unreadable", "lead off")
        if tell.lasts(now) is None:
            tell.end(other, float(known.number))
            tell.begin(now, float(known.number), abnormal=False)

"""Signal that can't be judged: `lead off` where every lead is flat, saturated or off, else `unreadable`.

`unreadable` goes on while leads are off: else a loose electrode, now flat and now noise, would never be so for long.
"""

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
        now = "lead off" if all(second.dead) else "unreadable"
        if now == "unreadable":
            tell.end("lead off", float(known.number))
        if tell.lasts(now) is None:
            tell.begin(now, float(known.number), abnormal=False)

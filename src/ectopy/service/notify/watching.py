"""What `ectopy watchdog` thinks: when a service counts as gone, when as back, and when to say so again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_REMIND_S = 600.0

Change = Literal["gone", "still gone", "back"]


@dataclass
class Watching:
    """Fed with each look at the service.

    It is gone after `after` looks in a row that failed, and back after as many that went well. One that comes and goes
    makes no storm: less than ten minutes after it was back, it has to stay well for ten minutes to be back again.
    """

    after: int
    gone: bool = False
    _row: int = 0  # looks in a row that say the other thing
    _row_began_s: float = 0.0
    _told_s: float = 0.0
    _back_s: float | None = None
    _unsteady: bool = False

    def looked(self, well: bool, now_s: float) -> Change | None:
        """What there is to tell after a look; `now_s` in seconds, never backwards."""
        if well != self.gone:  # as before
            self._row = 0
        else:
            self._row += 1
            if self._row == 1:
                self._row_began_s = now_s
            if self._row >= self.after and (not self._unsteady or now_s - self._row_began_s >= _REMIND_S):
                return self._turn(now_s)
        if self.gone and now_s - self._told_s >= _REMIND_S:
            self._told_s = now_s
            return "still gone"
        return None

    def _turn(self, now_s: float) -> Change:
        self.gone, self._row, self._told_s = not self.gone, 0, now_s
        if self.gone:
            self._unsteady = self._back_s is not None and now_s - self._back_s < _REMIND_S
            return "gone"
        self._back_s, self._unsteady = now_s, False
        return "back"

"""Ventricular beats in a row, in turn with others, and many of them.

`couplet`: 2 in a row. `triplet`: 3 or 4. `ventricular run`: 5 or more at 100 a minute or faster; `ventricular rhythm`:
slower. `bigeminy`, `trigeminy`: every second, every third beat, three times. `ectopic burden`: 10 or more in a minute.

A fast run looks like noise to the index of quality, and its beats less and less like ventricular ones to the model. So
in a row a beat soon after another needs less to be one, and beats in seconds that can't be judged count too, if the
model is sure enough of them. What is enough was set on the training patients, with motion of electrodes added.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ectopy.signal.findings.telling import Telling
from ectopy.signal.seconds import Known
from ectopy.verdict import Beat

_RUN, _RUN_RATE = 5, 100.0
_APART_S = 2.0  # further apart they are not in a row
_SOON_S, _LIKELY = 0.6, 0.25  # a beat so soon after a ventricular one is one too if P(V) is this much
# Mean P(V) needed where seconds can't be judged.
_SURE = {"couplet": 1.0, "triplet": 0.6, "ventricular run": 0.4, "ventricular rhythm": 0.6}
_TURNS = {"bigeminy": 1, "trigeminy": 2}  # other beats between two ventricular ones
_LONGEST = 600  # beats of a row that are remembered
_MANY = 9  # other beats in between: more than any turn has
_BURDEN_S, _BURDEN_STEP = 60.0, 10


@dataclass
class Ectopic:
    """What is remembered of the beats.

    row : times and P(V) of the ventricular beats in a row
    unsure : one of them lies in a second that can't be judged
    last_s, between : the last ventricular beat, and the other beats since
    turns, since_s : ventricular beats in turn so far, and the first of them, for `bigeminy` and `trigeminy`
    minute : times of the ventricular beats of the last minute
    """

    row: list[tuple[float, float]] = field(default_factory=list)
    unsure: bool = False
    last_s: float = 0.0
    between: int = _MANY
    turns: list[int] = field(default_factory=lambda: [1, 1])
    since_s: list[float] = field(default_factory=lambda: [0.0, 0.0])
    minute: list[float] = field(default_factory=list)

    def push(self, known: Known, tell: Telling) -> None:
        for beat in known.beats:
            deciding = known.second.decides(beat)
            is_v = beat.aami == "V" and (deciding or beat.V >= _LIKELY)
            if is_v or (self.row and beat.V >= _LIKELY and beat.rr_s <= _SOON_S):
                self._in_a_row(beat, deciding, tell)
            else:
                self._row_ends(tell)
            if deciding:
                self._turn(beat, tell)
        if not known.second.readable and not any(map(known.second.decides, known.beats)):
            self._no_turn(tell)
        if self.row and known.number + 1 - self.row[-1][0] > _APART_S:
            self._row_ends(tell)
        self._burden(known.number + 1.0, tell)

    def watchful(self) -> bool:
        """Whether something may be about to be found."""
        return len(self.row) >= 2

    def _in_a_row(self, beat: Beat, deciding: bool, tell: Telling) -> None:
        if self.row and beat.time_s - self.row[-1][0] > _APART_S:
            self._row_ends(tell)
        self.row = [*self.row[-_LONGEST:], (beat.time_s, beat.V)]
        self.unsure = self.unsure or not deciding
        if len(self.row) < _RUN or tell.lasts("ventricular run"):
            return
        last = self.row[-_RUN:]
        fast = (last[-1][0] - last[0][0]) * _RUN_RATE <= 60 * (_RUN - 1)
        name = "ventricular run" if fast else "ventricular rhythm"
        if tell.lasts(name) is None and self._sure(name):
            tell.begin(name, self.row[0][0])

    def _sure(self, name: str) -> bool:
        return not self.unsure or sum(v for _, v in self.row) >= _SURE[name] * len(self.row)

    def _row_ends(self, tell: Telling) -> None:
        if not self.row:
            return
        name, last_s = "couplet" if len(self.row) == 2 else "triplet", self.row[-1][0]
        if tell.lasts("ventricular run") or tell.lasts("ventricular rhythm"):
            tell.end("ventricular run", last_s)
            tell.end("ventricular rhythm", last_s)
        elif len(self.row) > 1 and self._sure(name):
            tell.was(name, self.row[0][0], last_s)
        self.row, self.unsure = [], False

    def _turn(self, beat: Beat, tell: Telling) -> None:
        if beat.aami != "V":
            self.between += 1
            for name, others in _TURNS.items():
                if self.between == others + 1:
                    tell.end(name, self.last_s)
            return
        self.minute.append(beat.time_s)
        for place, (name, others) in enumerate(_TURNS.items()):
            if self.between == others:
                self.turns[place] += 1
                if self.turns[place] == 3:
                    tell.begin(name, self.since_s[place])
            else:
                tell.end(name, self.last_s)
                self.turns[place], self.since_s[place] = 1, beat.time_s
        self.between, self.last_s = 0, beat.time_s

    def _no_turn(self, tell: Telling) -> None:
        """What can't be judged comes between."""
        for name in _TURNS:
            tell.end(name, self.last_s)
        self.between = _MANY

    def _burden(self, now_s: float, tell: Telling) -> None:
        while self.minute and self.minute[0] <= now_s - _BURDEN_S:
            self.minute.pop(0)
        step = len(self.minute) // _BURDEN_STEP * _BURDEN_STEP
        before = tell.lasts("ectopic burden")
        if before is not None and before.value is not None:
            if before.value - _BURDEN_STEP / 5 <= len(self.minute) < before.value + _BURDEN_STEP:
                return
            tell.end("ectopic burden", now_s)
        if step:
            tell.begin("ectopic burden", now_s, float(step), abnormal=False)

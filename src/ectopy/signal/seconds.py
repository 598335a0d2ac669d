"""What is known of each second of a stream once it can be judged: 2 s after it is in, its beats found, its signal seen
by the model.

A beat decides something if some lead can be judged in its second, or could if its baseline lay still and the model is
sure that the beat is abnormal: some ventricular beats sway like a moved electrode, and few of its beats look sure. In
the second in which a lead starts, or starts again, none can: filters and gain settle, and the model has seen nothing
before. Nor in one that is too small for a QRS complex. Other beats are listed, and decide nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ectopy.signal.condition import Conditioned
from ectopy.signal.doubt import seen
from ectopy.signal.grid import RATE
from ectopy.signal.quality import READABLE
from ectopy.verdict import Beat

DELAY_S = 2  # after the end of a second all of it is known
_SWAYING = 0.8  # P(abnormal) from which a beat decides though its baseline sways
_UNSURE, _SURE = 0.1, 0.95  # P(abnormal) from which a beat may be abnormal, and is, however poor its second
_MISSING = 0.5  # share of a second from which it can't be judged
_POOR = 0.8  # quality of a second in which it may as well be noise


@dataclass
class Second:
    """One second of signal; a value a lead.

    quality : the signal's, times the share of it that is there; once the model has seen it, what its doubt leaves of it
    """

    quality: tuple[float, ...]
    waves: tuple[bool, ...]
    dead: tuple[bool, ...]
    missing: tuple[float, ...]
    quiet: tuple[bool, ...]
    sways: tuple[bool, ...]
    starts: tuple[bool, ...]

    @property
    def best(self) -> float:
        return max(self.quality)

    @property
    def readable(self) -> bool:
        for lead, quality in enumerate(self.quality):  # noqa: SIM110  # a generator takes twice as long
            if quality >= READABLE and self.missing[lead] < _MISSING:
                return True
        return False

    @property
    def torn(self) -> bool:
        """Something of it is missing on every lead: a beat may lie there that nobody sees."""
        return min(self.missing) > 0

    @property
    def oscillates(self) -> bool:
        """Some lead does, without QRS complexes; of a lead that is mostly missing nobody knows."""
        return any(self.waves) and any(
            waves and missing < _MISSING for waves, missing in zip(self.waves, self.missing, strict=True)
        )

    def decides(self, beat: Beat) -> bool:
        """Whether a beat in it decides something."""
        sure = beat.anomaly >= _SWAYING
        for lead, quality in enumerate(self.quality):
            if (quality >= READABLE or (sure and self.sways[lead])) and not (self.quiet[lead] or self.starts[lead]):
                return True
        return False

    def doubtful(self, beat: Beat) -> bool:
        """Whether nobody knows if a beat in it is abnormal, or noise."""
        return _UNSURE <= beat.anomaly < _SURE and all(
            quality < _POOR * (1 - missing) for quality, missing in zip(self.quality, self.missing, strict=True)
        )

    @property
    def trouble(self) -> str:
        """Why it can't be judged, by its least bad lead."""
        lead = self.quality.index(self.best)
        if self.dead[lead]:
            return "flat, saturated or lead off"
        return "no signal" if self.missing[lead] >= _MISSING else "noise"


@dataclass
class Known:
    """A second that can be judged.

    number : it lasts from here to one later
    beats : those in it
    alike : what lies before each of them, and before the beat before it, from `signal.PWaves`
    waves : whether this second and each of the two after it oscillates without QRS complexes on some lead
    """

    number: int
    second: Second
    beats: tuple[Beat, ...]
    alike: tuple[float, ...]
    waves: tuple[bool, ...]


@dataclass
class SecondsState:
    """The seconds that can't be judged yet."""

    first: int  # what `seconds[0]` is
    seconds: tuple[Second, ...]
    doubts: tuple[tuple[float, ...], ...]  # from the same one on; they come later
    beats: tuple[Beat, ...]
    alike: tuple[float, ...]  # of the beats


class Seconds:
    """Blocks, beats and doubts in, known seconds out."""

    def __init__(self, doubt: float):
        self._doubt = doubt
        self.state = SecondsState(0, (), (), (), ())

    @property
    def come(self) -> int:
        """Seconds of the stream that are in."""
        return self.state.first + len(self.state.seconds)

    def add(
        self,
        conditioned: Conditioned,
        beats: Sequence[Beat],
        alike: Sequence[float],
        doubts: NDArray[np.float64],
    ) -> None:
        """Seconds that have come; the beats and the doubts, (n_leads, n) of earlier seconds, that came with them."""
        gap = np.zeros(conditioned.quality.shape)
        if np.count_nonzero(conditioned.gap):
            gap = conditioned.gap.reshape(*gap.shape, RATE).sum(axis=2) / RATE
        flags = (conditioned.quiet, conditioned.sways, conditioned.restart)
        columns = (conditioned.quality, conditioned.waves, conditioned.dead, gap, *flags)
        rows = zip(*(column.T.tolist() for column in columns), strict=True)
        self.state = SecondsState(
            first=self.state.first,
            seconds=(*self.state.seconds, *[Second(*map(tuple, row)) for row in rows]),
            doubts=(*self.state.doubts, *map(tuple, doubts.T.tolist())),
            beats=(*self.state.beats, *beats),
            alike=(*self.state.alike, *alike),
        )

    def known(self) -> list[Known]:
        """The seconds that can be judged by now, each once."""
        state = self.state
        n = max(len(state.seconds) - DELAY_S, 0)
        first, beats, at = state.first, state.beats, 0
        waves = [second.oscillates for second in state.seconds]
        known = []
        for place in range(n):
            begin = at
            while at < len(beats) and beats[at].time_s < first + place + 1:
                at += 1
            second = self._seen(state.seconds[place], state.doubts[place])
            here = beats[begin:at], state.alike[begin:at]
            known.append(Known(first + place, second, *here, tuple(waves[place : place + DELAY_S + 1])))
        self.state = SecondsState(
            first=first + n,
            seconds=state.seconds[n:],
            doubts=state.doubts[n:],
            beats=beats[at:],
            alike=state.alike[at:],
        )
        return known

    def _seen(self, second: Second, doubt: Sequence[float]) -> Second:
        """A second, once the model has seen it."""
        leads = zip(second.quality, second.missing, doubt, strict=True)
        quality = [there * seen(q / there, d, self._doubt) if (there := 1 - m) else 0.0 for q, m, d in leads]
        rest = (second.waves, second.dead, second.missing, second.quiet, second.sways, second.starts)
        return Second(tuple(quality), *rest)

"""Intervals of one verdict in a row, taken together: what a reader wants listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from ectopy.figures import worst
from ectopy.recording import ABNORMAL_CLASSES
from ectopy.verdict import Verdict


@dataclass(frozen=True)
class Stretch:
    """Intervals in a row that are all abnormal or all unreadable."""

    verdicts: tuple[Verdict, ...]

    @property
    def start_s(self) -> float:
        return self.verdicts[0].start_s

    @property
    def end_s(self) -> float:
        return self.verdicts[-1].end_s

    @property
    def worst(self) -> Verdict:
        """The interval whose reason speaks for the stretch."""
        return worst(self.verdicts, 1)[0]

    @property
    def abnormal_beats(self) -> str:
        """As `12 V, 1 S`: the beats of classes S, V and F."""
        classes = {beat.sample: beat.aami for verdict in self.verdicts for beat in verdict.beats}
        counts = Counter(classes.values())
        return ", ".join(f"{counts[aami]} {aami}" for aami in ABNORMAL_CLASSES if counts[aami])


def stretches(verdicts: Sequence[Verdict]) -> list[Stretch]:
    """The abnormal and the unreadable stretches, in the order of time."""
    runs = groupby(verdicts, key=lambda verdict: verdict.verdict)
    return [Stretch(tuple(run)) for word, run in runs if word != "normal"]

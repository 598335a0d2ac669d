"""The rhythms that a record's annotations name, as stretches."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from ectopy.recording import Recording


@dataclass(frozen=True)
class Stretch:
    """A rhythm from one second to another; name : as PhysioNet has it, `AFIB`, `VT`, `B`, ..."""

    name: str
    start_s: float
    end_s: float


def rhythms(recording: Recording) -> list[Stretch]:
    """The annotated rhythms of a recording, in order; each lasts until the next begins."""
    marks = recording.annotations
    if marks is None:
        return []
    changes = marks.symbol == "+"
    names = [aux.strip("\0").removeprefix("(") for aux in marks.aux[changes].tolist()]
    starts = [sample / float(recording.fs) for sample in marks.sample[changes].tolist()]
    bounds = pairwise([*starts, recording.duration_s])
    return [Stretch(name, *bound) for name, bound in zip(names, bounds, strict=True)]

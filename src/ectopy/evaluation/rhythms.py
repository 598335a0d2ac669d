"""The rhythms that a record's annotations name, as stretches."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ectopy.recording import Annotations, Recording

# Those that a finding is to tell; flutter of the ventricles has marks of its own beside.
ABNORMAL_RHYTHMS = frozenset({"AFIB", "AFL", "VT", "VFL", "IVR", "B", "T"})


@dataclass(frozen=True)
class Rhythm:
    """A rhythm from one second to another; name : as PhysioNet has it, `AFIB`, `VT`, `B`, ..."""

    name: str
    start_s: float
    end_s: float


def rhythms(recording: Recording) -> list[Rhythm]:
    """The annotated rhythms of a recording, in order; each lasts until the next begins."""
    if recording.annotations is None:
        return []
    fs = float(recording.fs)
    found = _rhythms(recording.annotations, len(recording.samples))
    return [Rhythm(name, start / fs, end / fs) for name, start, end in found]


def abnormal_rhythms(annotations: Annotations, n_samples: int) -> np.ndarray:
    """(n, 2) int64: first sample of each stretch of `ABNORMAL_RHYTHMS`, and the first behind it."""
    found = [bounds for name, *bounds in _rhythms(annotations, n_samples) if name in ABNORMAL_RHYTHMS]
    return np.array(found, np.int64).reshape(-1, 2)


def _rhythms(annotations: Annotations, n_samples: int) -> list[tuple[str, int, int]]:
    changes = annotations.symbol == "+"
    names = [aux.strip("\0").removeprefix("(") for aux in annotations.aux[changes].tolist()]
    bounds = pairwise([*annotations.sample[changes].tolist(), n_samples])
    return [(name, start, end) for name, (start, end) in zip(names, bounds, strict=True)]

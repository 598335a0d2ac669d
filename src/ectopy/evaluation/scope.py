"""Which stretch of a record is scored.

From `start_s` on (EC57 and `bxb` leave out the first five minutes, in which a device may learn), and to the
end of the last interval that the program owes: a rest of under 2 s gets no verdict (`owed_intervals`).
Ventricular flutter, from a `[` to the next `]`, carries no beat annotations and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ectopy.recording import Annotations
from ectopy.verdict import INTERVAL_S, SHORTEST_S


@dataclass(frozen=True, eq=False)
class Scope:
    """The samples that count: `first <= sample < stop` and in no stretch of flutter.

    flutter : (n, 2) int64, first and last sample of each stretch, both left out
    rhythms : (n, 2) int64, first sample of each stretch of an abnormal rhythm, and the first behind it
    """

    first: int
    stop: int
    flutter: np.ndarray
    rhythms: np.ndarray

    def holds(self, sample: np.ndarray) -> np.ndarray:
        """(n,) bool, whether each sample counts."""
        sample = np.asarray(sample)[:, None]
        in_flutter = (sample >= self.flutter[:, 0]) & (sample <= self.flutter[:, 1])
        return (sample[:, 0] >= self.first) & (sample[:, 0] < self.stop) & ~in_flutter.any(axis=1)


def flutter_stretches(annotations: Annotations, n_samples: int) -> np.ndarray:
    """(n, 2) int64: first and last sample of ventricular flutter or fibrillation.

    One that is open at either end of the record reaches to it.
    """
    stretches = []
    opened = 0 if _first_mark(annotations) == "]" else None
    for sample, symbol in zip(annotations.sample.tolist(), annotations.symbol, strict=True):
        if symbol == "[" and opened is None:
            opened = sample
        elif symbol == "]" and opened is not None:
            stretches.append((opened, sample))
            opened = None
    if opened is not None:
        stretches.append((opened, n_samples))
    return np.array(stretches, dtype=np.int64).reshape(-1, 2)


def noisy_stretches(annotations: Annotations, n_samples: int) -> np.ndarray:
    """(n, 2) int64: from each `~` that calls the first lead noisy or unreadable to the next `~`, or to the end."""
    if annotations.subtype is None:
        return np.zeros((0, 2), np.int64)
    marks = annotations.symbol == "~"
    start, kind = annotations.sample[marks], annotations.subtype[marks]
    end = np.append(start, n_samples)[1:]
    return np.stack([start, end], axis=1)[kind & 0x11 != 0]


def owed_intervals(n_samples: int, fs: Fraction) -> int:
    """Number of intervals of 5 s that a program owes for a record: the last may be shorter, down to 2 s."""
    whole, rest = divmod(Fraction(n_samples), INTERVAL_S * fs)
    return int(whole) + (rest >= SHORTEST_S * fs)


def interval_bounds(n: int, n_samples: int, fs: Fraction) -> np.ndarray:
    """(n + 1,) int64: first sample of each of `n` intervals, then the end of the last."""
    bounds = -(-INTERVAL_S * np.arange(n + 1) * fs.numerator // fs.denominator)
    return np.minimum(bounds, n_samples)


def interval_of(sample: np.ndarray, fs: Fraction) -> np.ndarray:
    """(n,) int64: the interval each sample lies in. Whole numbers only, so that no bound is rounded."""
    return np.asarray(sample, dtype=np.int64) * fs.denominator // (INTERVAL_S * fs.numerator)


def _first_mark(annotations: Annotations) -> str:
    marks = annotations.symbol[np.isin(annotations.symbol, ["[", "]"])]
    return str(marks[0]) if len(marks) else ""

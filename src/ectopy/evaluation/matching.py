"""Which detected beat is which reference beat."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ectopy.errors import SignalError

MATCH_WINDOW_S = 0.150


@dataclass(frozen=True, eq=False)
class Matches:
    """Indices into the two arrays that were matched, ascending.

    reference, detected : (n_pairs,) int64; `reference[i]` and `detected[i]` are one beat
    missed : reference beats that no detection was paired with
    extra : detections that no reference beat was paired with
    """

    reference: np.ndarray
    detected: np.ndarray
    missed: np.ndarray
    extra: np.ndarray


def match_beats(reference: np.ndarray, detected: np.ndarray, fs: Fraction | float) -> Matches:
    """Pair each reference beat with at most one detected beat within `MATCH_WINDOW_S`, in the order of time.

    Of all such pairings, one with the most pairs, and of these the least total distance. On a line that
    optimum needs no crossing pairs, so it is found by going through the beats once; the cost grows with
    their number (times the detections within one window, where a detector fires wildly).

    Parameters
    ----------
    reference, detected : (n,) int, ascending
        Sample indices; equal neighbours are allowed.
    fs : sampling rate in Hz.

    Raises
    ------
    SignalError
        If either array runs backwards.
    """
    reference = _ascending(reference, "reference")
    detected = _ascending(detected, "detected")
    reach = math.floor(MATCH_WINDOW_S * fs + 1e-9)
    # The detections that reference beat i may take are first[i] <= d < stop[i]; both grow with i.
    first = np.searchsorted(detected, reference - reach, "left").tolist()
    stop = np.searchsorted(detected, reference + reach, "right").tolist()
    found = _optimal_pairs(reference.tolist(), detected.tolist(), first, stop, reach)
    pairs = np.array(found, dtype=np.int64).reshape(-1, 2)
    return Matches(
        reference=pairs[:, 0],
        detected=pairs[:, 1],
        missed=np.setdiff1d(np.arange(len(reference)), pairs[:, 0], assume_unique=True),
        extra=np.setdiff1d(np.arange(len(detected)), pairs[:, 1], assume_unique=True),
    )


def _optimal_pairs(
    reference: Sequence[int], detected: Sequence[int], first: Sequence[int], stop: Sequence[int], reach: int
) -> list[tuple[int, int]]:
    """Dynamic programming along both arrays, kept to the detections within reach.

    `rows[i][j - first[i]]` is the best gain of reference beats 0..i with detections 0..j-1. A pair gains so
    much that one more pair outweighs every distance.
    """
    pair_gain = (reach + 1) * (len(reference) + 1)
    rows: list[list[int]] = []

    def gain(i: int, j: int) -> int:
        """Of beats 0..i with detections 0..j-1, for j >= first[i]; those past stop[i] gain nothing more."""
        return rows[i][min(j, stop[i]) - first[i]] if i >= 0 else 0

    for i, sample in enumerate(reference):
        row = [gain(i - 1, first[i])]
        for j in range(first[i] + 1, stop[i] + 1):
            paired = gain(i - 1, j - 1) + pair_gain - abs(sample - detected[j - 1])
            row.append(max(gain(i - 1, j), row[-1], paired))
        rows.append(row)

    pairs = []
    i, j = len(reference) - 1, len(detected)
    while i >= 0:
        j = min(j, stop[i])
        if j <= first[i] or gain(i, j) == gain(i - 1, j):
            i -= 1
        elif gain(i, j) == gain(i, j - 1):
            j -= 1
        else:
            i, j = i - 1, j - 1
            pairs.append((i + 1, j))
    return pairs[::-1]


def _ascending(samples: np.ndarray, what: str) -> np.ndarray:
    samples = np.asarray(samples, dtype=np.int64)
    backwards = np.flatnonzero(np.diff(samples) < 0)
    if len(backwards):
        at = backwards[0]
        raise SignalError(
            f"{what} beats run backwards: sample {samples[at]} is followed by {samples[at + 1]}; "
            "expected the order of time, sort them first"
        )
    return samples

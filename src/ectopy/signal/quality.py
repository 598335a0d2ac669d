"""The quality of a second of signal: from six features to an index between 0 and 1.

An ECG is mostly quiet with QRS complexes standing out. Motion of an electrode, muscle and white noise fill the pauses
between them, each in its own band. The features are logarithms of ratios, so that no unit or gain enters. Their
quadratic logistic index is fitted by `ectopy train quality`, which writes `quality.json`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations_with_replacement, starmap
from math import exp, log
from operator import mul
from pathlib import Path
from typing import NamedTuple

READABLE = 0.3  # quality from which a second can be judged
FEATURES = ("kurtosis", "roughness", "unevenness", "slowness", "stillness", "unrest")
TERMS = [
    *combinations_with_replacement(range(len(FEATURES)), 1),
    *combinations_with_replacement(range(len(FEATURES)), 2),
]
_TINY = 1e-12


class Sums(NamedTuple):
    """Of a block, or of the 4 s that end with it; `x` is the filtered signal, `'` a difference of neighbours."""

    n: float
    x2: float
    x4: float
    slope2: float  # x'
    bend2: float  # x''
    slow2: float  # means of an eighth of a second


def features(sums: Sums, parts: Sequence[float]) -> tuple[float, ...]:
    """`FEATURES` of a block: the first four over 4 s, the last two from its own eighths.

    parts : x''^2 of the block's eighths, ascending
    """
    n, x2, x4, slope2, bend2, slow2 = sums
    return (
        log((n * x4 + _TINY) / (x2**2 + _TINY)),  # how peaked
        log((slope2 + _TINY) / (x2 + _TINY)),  # how fast, in mean square
        log((bend2 + _TINY) / (slope2 + _TINY)),  # how fast, where it moves
        log((slow2 + _TINY) / (x2 + _TINY)),  # how much of it is below some 4 Hz
        log((parts[1] + _TINY) / (parts[-1] + _TINY)),  # its quiet moments against the QRS complex
        log((parts[len(parts) // 2] + _TINY) / (parts[-1] + _TINY)),  # most of it against the QRS complex
    )


def index(values: Sequence[float]) -> float:
    """The quality that `values` of `FEATURES` stand for."""
    terms = [*values, *starmap(mul, combinations_with_replacement(values, 2))]  # as `TERMS`
    z = _INTERCEPT + sum(map(mul, _WEIGHTS, terms))
    return 1 / (1 + exp(-min(max(z, -50.0), 50.0)))


_FITTED = json.loads(Path(__file__).with_name("quality.json").read_text(encoding="utf-8"))
_INTERCEPT: float = _FITTED["intercept"]
_WEIGHTS: list[float] = [_FITTED["weights"][" * ".join(FEATURES[place] for place in term)] for term in TERMS]

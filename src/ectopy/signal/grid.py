"""The block grid of the signal path: everything after the mask runs on blocks of 1 s, counted from the first sample.

Block `b` is complete once the raw samples before `ceil((b + 1) * fs)` are in. Its conditioned samples lie
`LAG` behind the raw ones, which is what the mask (50 ms) and the resampler (75 ms) must see ahead.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ectopy.errors import SignalError
from ectopy.recording import MAX_FS, MIN_FS, exact_rate

RATE = 128  # conditioned samples a second
LAG = 16  # conditioned samples: 125 ms
LABEL_STEP = 4  # conditioned samples a model frame
FRAMES = RATE // LABEL_STEP  # model frames a block
HOLD_S = Fraction(1, 20)  # a masked stretch up to this long is bridged
RESTART_S = 2  # after more than this masked, every state starts again


def check_rate(fs: Fraction | float | int | str) -> Fraction:
    """`fs` as an exact fraction, if the signal path can take it.

    Raises
    ------
    SignalError
        Outside 100 to 1000 Hz.
    """
    rate = exact_rate(fs)
    if not MIN_FS <= rate <= MAX_FS:
        raise SignalError(
            f"sampling rate {float(rate):.15g} Hz: expected {MIN_FS} to {MAX_FS} Hz; resample the recording first"
        )
    return rate


def block_start(block: int, fs: Fraction) -> int:
    """Index of the first raw sample of a block."""
    return -(-block * fs.numerator // fs.denominator)  # ceil(block * fs), ten times as fast


def phase_of(block: int, fs: Fraction) -> int:
    """A block's number modulo the rate's denominator: after so many the bounds lie alike, whole samples later."""
    return block % fs.denominator


def conditioned_at(sample: int, fs: float) -> int:
    """The conditioned sample at which a sample of the input comes out of the filters."""
    return round(sample * RATE / fs) + LAG


def over_leads(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n_leads, ...) summed lead by lead. `sum` adds eight or more in pairs where they lie side by side, as those of
    one beat do and those of several don't."""
    total = x[0]
    for lead in range(1, len(x)):
        total = total + x[lead]
    return total

"""Real electrode-motion noise, and how loud it is against a recording.

Record 118e06 of nstdb is mitdb's 118 with noise added for two minutes, two minutes off, and so on from 5:00; their
difference is the noise. Three of its stretches train models, one more is for choices and helps to set the quality
index, the others only test: what is mixed for a test holds none of the noise that trained or set anything. 118 itself
is a training patient.

Moody GB, Muldrow WE, Mark RG. A noise stress test for arrhythmia detectors. Computers in Cardiology 11:381-384 (1984)
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ectopy.data.lookup import read

NoisePart = Literal["training", "choice", "test"]
_ON_S: dict[NoisePart, range] = {
    "training": range(300, 900, 240),
    "choice": range(1020, 1140, 240),
    "test": range(1260, 1700, 240),
}
_LONG_S = 120
_FS = Fraction(360)


def electrode_motion(part: NoisePart, data_dir: str | Path | None = None, *, fs: Fraction = _FS) -> NDArray[np.float32]:
    """(n, 2) at `fs` in mV: the noise of two leads, without its pauses.

    Raises
    ------
    RecordError
        If nstdb or mitdb is not on this machine.
    """
    noisy, clean = read("nstdb/118e06", data_dir=data_dir), read("mitdb/118", data_dir=data_dir)
    stretches = []
    for start in _ON_S[part]:
        with_noise, without = (r.section(start, start + _LONG_S).samples for r in (noisy, clean))
        stretches.append(with_noise - without)
    noise = np.concatenate(stretches)
    noise -= noise.mean(axis=0)
    if fs == _FS:
        return noise
    from scipy.signal import resample_poly  # a second to import

    ratio = fs / _FS
    return resample_poly(noise, ratio.numerator, ratio.denominator).astype(np.float32)


def at_snr(samples: NDArray[np.float32], noise: NDArray[np.float32], snr_db: float) -> NDArray[np.float32]:
    """(n, n_leads) with noise of the same shape at a signal-to-noise ratio.

    The signal's power is an eighth of its squared peak-to-peak amplitude, as in the noise stress test (there of mean
    QRS complexes, here of the 0.5th to the 99.5th percentile); the noise's its mean square.
    """
    low, high = np.nanpercentile(samples, [0.5, 99.5], axis=0)
    power = (high - low) ** 2 / 8
    return samples + noise * np.sqrt(power / 10 ** (snr_db / 10) / np.square(noise).mean(axis=0)).astype(np.float32)

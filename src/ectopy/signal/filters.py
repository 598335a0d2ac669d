"""The causal high-pass that takes baseline wander away."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt, sosfilt_zi

from ectopy.signal.grid import RATE

_SOS = butter(2, 0.5, "highpass", fs=RATE, output="sos")
_SETTLED = sosfilt_zi(_SOS)  # (1, 2)


def settling(n: int) -> NDArray[np.float64]:
    """(n,) what the high-pass makes of a level that changes by 1 at the first sample."""
    return sosfilt(_SOS, np.ones(n))


@dataclass(frozen=True)
class HighPassState:
    zi: NDArray[np.float64]  # (n_leads, 2)


class HighPass:
    """Butterworth, 2nd order, 0.5 Hz; settles on the first sample of a lead, and again on each restart."""

    def __init__(self, n_leads: int):
        self.state = HighPassState(np.zeros((n_leads, 2)))

    def push(self, x: NDArray[np.float64], restart: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(n_leads, n_blocks, 128) -> the same shape; `restart` is (n_leads, n_blocks)."""
        if not restart.any():
            y, zi = sosfilt(_SOS, x.reshape(len(x), -1), zi=self.state.zi[None])
            self.state = HighPassState(zi[0])
            return y.reshape(x.shape)
        y, states = np.empty_like(x), np.empty_like(self.state.zi)
        for lead, zi in enumerate(self.state.zi):
            edges = [0, *np.flatnonzero(restart[lead]), x.shape[1]]
            for begin, end in pairwise(edges):
                if begin == end:
                    continue
                if restart[lead, begin]:
                    zi = _SETTLED[0] * x[lead, begin, 0]
                part, after = sosfilt(_SOS, x[lead, begin:end].reshape(-1), zi=zi[None])
                y[lead, begin:end], zi = part.reshape(-1, RATE), after[0]
            states[lead] = zi
        self.state = HighPassState(states)
        return y

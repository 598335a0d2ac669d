"""What the steps of `StreamAnalyzer` work on next: raw blocks, and conditioned ones that the model is to run on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ectopy.signal import Conditioned


@dataclass(eq=False)
class Blocks:
    """(n_samples, n_leads) raw samples of `n` whole blocks."""

    samples: NDArray[np.float32]
    n: int


@dataclass(eq=False)
class ModelInput:
    """What the model is to run on next.

    conditioned : whole blocks
    reset : (n_leads,) bool, leads whose model state starts again before them
    """

    conditioned: Conditioned
    reset: NDArray[np.bool_]


def inputs(conditioned: Conditioned) -> list[ModelInput]:
    """One model run for each stretch without a restart inside it."""
    if not np.count_nonzero(conditioned.restart[:, 1:]):
        return [ModelInput(conditioned, conditioned.restart[:, 0])]
    edges = [0, *np.flatnonzero(conditioned.restart.any(axis=0)), conditioned.n_blocks]
    return [
        ModelInput(conditioned.blocks(begin, end), conditioned.restart[:, begin])
        for begin, end in pairwise(edges)
        if begin < end
    ]

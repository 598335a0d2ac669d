"""The model's own doubt: noise that the quality index takes for an ECG leaves the model between beat and no beat.

A frame's doubt is the smaller of P(beat) and P(no beat), a second's the mean over its frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np
from numpy.typing import NDArray

from ectopy.signal.grid import FRAMES

_WEIGHT = 60.0  # in the logit; a second's doubt is 0.5 at most


@dataclass
class DoubtState:
    """What it carries from block to block."""

    frames: NDArray[np.float64]  # (n_leads, under 32), of the second that isn't complete
    before: int  # frames still to come that lie before the stream's first


class Doubt:
    """Frames in; a value for each second that is complete. They come `lookahead` frames late."""

    def __init__(self, n_leads: int, lookahead: int):
        self.state = DoubtState(np.zeros((n_leads, 0)), lookahead)

    def push(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n_leads, n_blocks * 32, 6) probabilities -> (n_leads, n_seconds)."""
        none = scores[:, :, 0].astype(np.float64)
        skip = min(self.state.before, none.shape[1])
        frames = np.concatenate([self.state.frames, np.minimum(none, 1 - none)[:, skip:]], axis=1)
        n = frames.shape[1] // FRAMES
        self.state = DoubtState(frames[:, n * FRAMES :].copy(), self.state.before - skip)
        return np.add.reduce(frames[:, : n * FRAMES].reshape(len(frames), n, FRAMES), axis=2) / FRAMES


def seen(quality: float, doubt: float, ordinary: float) -> float:
    """The quality of a second once the model has seen it: its odds fall with doubt beyond the ordinary, else rise.

    What is certain stays so: waves, and a pause on a living baseline, where the model has nothing to find.
    """
    return quality / (quality + (1 - quality) * exp(_WEIGHT * (doubt - ordinary))) if quality else 0.0

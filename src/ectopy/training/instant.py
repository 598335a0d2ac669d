"""How `instant` is trained: windows of 24 s, balanced by patient, half of them on abnormal beats, many in noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from ectopy.models.instant import InstantConfig, build
from ectopy.training.data import Example
from ectopy.training.fit import Report, compiled, fit
from ectopy.training.windows import Windows, validation


@dataclass(frozen=True)
class Settings:
    """What is set by hand, and written on the card."""

    epochs: int = 12
    steps: int = 100  # an epoch
    batch: int = 24
    seconds: int = 24
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    patience: int = 8  # epochs without a better loss of the held-out patients
    seed: int = 0


def train(
    examples: Sequence[Example],
    cold: Sequence[Example],
    held_out: Sequence[Example],
    noise: NDArray[np.float32],
    config: InstantConfig,
    settings: Settings,
    folder: Path,
    report: Report,
) -> tuple[keras.Model, int]:
    """Fit on `examples` and their `cold` parts, stop early on `held_out` (empty: run all epochs).

    Gives the best model and its epoch.
    """
    keras.utils.set_random_seed(settings.seed)
    model = compiled(
        build(config),
        epochs=settings.epochs,
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
    )
    windows = Windows(
        examples,
        cold,
        noise,
        seconds=settings.seconds,
        batch=settings.batch,
        steps=settings.steps,
        lookahead=config.lookahead,
        seed=settings.seed,
    )
    checks = validation(held_out, seconds=60, lookahead=config.lookahead) if held_out else None
    return fit(model, windows, checks, settings.epochs, settings.patience, folder, report)

"""How `sequence` is trained: 64 beats in a row, balanced by patient, half of the rows on abnormal beats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras

from ectopy.models.sequence import SequenceConfig, build
from ectopy.training.fit import Report, compiled, fit
from ectopy.training.series import Beats, SeriesWindows, whole


@dataclass(frozen=True)
class SequenceSettings:
    """What is set by hand, and written on the card."""

    epochs: int = 6
    steps: int = 120  # an epoch
    batch: int = 32
    length: int = 64  # beats in a row
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    patience: int = 4  # epochs without a better loss of the held-out patients
    seed: int = 0


def train_sequence(
    beats: Sequence[Beats],
    held_out: Sequence[Beats],
    config: SequenceConfig,
    settings: SequenceSettings,
    folder: Path,
    report: Report,
) -> tuple[keras.Model, int]:
    """Fit on `beats`, stop early on `held_out` (empty: run all epochs); the best model and its epoch."""
    keras.utils.set_random_seed(settings.seed)
    model = compiled(
        build(config),
        epochs=settings.epochs,
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
    )
    series = SeriesWindows(
        beats, length=settings.length, batch=settings.batch, steps=settings.steps, seed=settings.seed
    )
    checks = whole(held_out, settings.length) if held_out else None
    return fit(model, series, checks, settings.epochs, settings.patience, folder, report)

"""`fit` that can be interrupted: after each epoch the model, its optimiser and its history are on disk.

`tensorboard --logdir runs` shows the losses as they come.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

_CROSS_ENTROPY = "sparse_categorical_crossentropy"
Report = Callable[[int, int, dict[str, float]], None]  # epochs done, epochs in all, losses of the last one


class Examples(keras.utils.PyDataset):
    """Batches that the epoch fixes."""

    epoch: int = 0

    def on_epoch_end(self) -> None:
        self.epoch += 1


def compiled(
    model: keras.Model,
    *,
    epochs: int,
    steps: int,
    learning_rate: float,
    weight_decay: float,
    loss: Any = _CROSS_ENTROPY,
) -> keras.Model:
    """The model with AdamW for these epochs: an epoch of warm-up, then cosine decay (Loshchilov & Hutter 2017)."""
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        warmup_target=learning_rate,
        warmup_steps=steps,
        decay_steps=max(epochs - 1, 1) * steps,
        alpha=0.01,
    )
    model.compile(
        keras.optimizers.AdamW(schedule, weight_decay=weight_decay, clipnorm=1.0),
        loss=loss,
    )
    return model


class _Keep(keras.callbacks.Callback):
    """Writes `history.csv`, `last.keras` (to go on from) and `best.keras`; stops when nothing gets better."""

    def __init__(self, folder: Path, patience: int, epochs: int, report: Report, history: list[dict[str, float]]):
        super().__init__()
        self._folder, self._patience, self._epochs, self._report = folder, patience, epochs, report
        self.history = history

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        # Keras saves no dropout state: from the epoch, a resumed run drops what an unbroken one would
        for number, layer in enumerate(self.model.layers):
            if hasattr(layer, "seed_generator"):
                layer.seed_generator.state.assign([number, epoch << 16])

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        row = {"epoch": float(epoch + 1), **{name: float(value) for name, value in (logs or {}).items()}}
        self.history.append(row)
        if best_epoch(self.history) == epoch + 1:
            _save(self.model, self._folder / "best.keras")
        _write_history(self._folder, self.history)
        _save(self.model, self._folder / "last.keras")  # at the end: `fit` counts its epochs
        self._report(epoch + 1, self._epochs, row)
        if finished(self.history, self._epochs, self._patience):
            self.model.stop_training = True


def fit(
    model: keras.Model,
    windows: Examples,
    checks: tuple[Any, Any, Any] | None,
    epochs: int,
    patience: int,
    folder: Path,
    report: Report,
) -> tuple[keras.Model, int]:
    """Fit, or go on fitting, the compiled `model`; gives the best one and its epoch."""
    folder.mkdir(parents=True, exist_ok=True)
    history = read_history(folder) if (folder / "last.keras").is_file() else []
    if history:
        model = keras.saving.load_model(folder / "last.keras")
        # a row is there before its model is: killed between them, the run makes that epoch again
        history = history[: int(model.optimizer.iterations) // len(windows)]
        windows.epoch = len(history)
        report(len(history), epochs, history[-1])
    if not finished(history, epochs, patience):
        keep = _Keep(folder, patience, epochs, report, history)
        model.fit(
            windows,
            validation_data=checks,
            initial_epoch=len(history),
            epochs=epochs,
            shuffle=False,
            verbose=0,
            callbacks=[keep, keras.callbacks.TensorBoard(folder / "logs", write_graph=False)],
        )
        history = keep.history
    return keras.saving.load_model(folder / "best.keras"), best_epoch(history)


def finished(history: list[dict[str, float]], epochs: int, patience: int) -> bool:
    """Whether all epochs are run, or `patience` of them brought nothing."""
    return bool(history) and (len(history) >= epochs or len(history) - best_epoch(history) >= patience)


def best_epoch(history: list[dict[str, float]]) -> int:
    """The epoch of the least loss of the held-out patients; the last one where none are held out."""
    losses = [row.get("val_loss", math.nan) for row in history]
    if any(math.isnan(loss) for loss in losses):
        return len(history)
    return 1 + losses.index(min(losses))


def read_history(folder: Path) -> list[dict[str, float]]:
    """A row an epoch: epoch, loss, val_loss."""
    path = folder / "history.csv"
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def _write_history(folder: Path, history: list[dict[str, float]]) -> None:
    part = folder / "history.part"
    with part.open("w", newline="") as file:
        writer = csv.DictWriter(file, history[0].keys())
        writer.writeheader()
        writer.writerows(history)
    part.replace(folder / "history.csv")


def _save(model: keras.Model, path: Path) -> None:
    part = path.with_name(f"part.{path.name}")
    model.save(part)
    part.replace(path)

"""The folder of a run, and what is shown of it while it goes on."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from numpy.typing import NDArray
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ectopy import data, zoo
from ectopy.errors import ModelError
from ectopy.recording import Recording
from ectopy.training.fit import Report


@dataclass(frozen=True)
class Plan:
    """What was asked of `train_model`, alike for every model; `records` all named."""

    protocol: str
    data_dir: Path | None
    out: Path | None
    runs: Path
    seed: int
    resume: bool
    records: tuple[str, ...]

    def place(self, name: str) -> Path:
        """Where a model is written."""
        return (self.out or Path(zoo.__file__).parent) / name

    def folder(self, name: str) -> Path:
        """Where its epochs are kept."""
        return self.runs / f"{name}-{self.protocol}-seed{self.seed}"

    def begin(self, bar: Progress) -> dict[str, Recording]:
        """Whatever is random comes the same again; gives the recordings."""
        keras.utils.set_random_seed(self.seed)
        tf.config.experimental.enable_op_determinism()
        tracked = bar.track(self.records, description="reading")
        return {r: data.read(r, data_dir=self.data_dir) for r in tracked}


def training_records(protocol: str, records: Sequence[str] | None) -> tuple[str, ...]:
    """A protocol's, or fewer of one's own choice; RecordError if a test record is among them."""
    chosen = tuple(data.training(protocol) if records is None else records)
    data.refuse_test_patients(chosen)
    return chosen


def digest(arrays: Iterable[NDArray]) -> str:
    """What the model is shown: a run does not go on where the signal path has changed under it."""
    shown = hashlib.sha256()
    for array in arrays:
        shown.update(array.tobytes())
    return shown.hexdigest()


def open_run(folder: Path, resume: bool, wanted: dict[str, Any]) -> None:
    """A run's folder, new or to go on in; ModelError where what was `wanted` of the run there is something else."""
    note, wanted = folder / "run.json", json.loads(json.dumps(wanted))  # with lists for tuples, as it is read again
    if not resume and folder.exists():
        shutil.rmtree(folder)
    if note.is_file() and json.loads(note.read_text(encoding="utf-8")) != wanted:
        raise ModelError(f"{note}: that run had other settings or another input; start again with --no-resume")
    folder.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps(wanted, indent=2), encoding="utf-8")


def progress() -> Progress:
    return Progress(
        TextColumn("{task.description:<45}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )


def reporter(bar: Progress, what: str) -> Report:
    task = bar.add_task(what, total=None)

    def report(done: int, total: int, row: dict[str, float]) -> None:
        losses = " ".join(f"{name} {row[name]:.4f}" for name in ("loss", "val_loss") if name in row)
        bar.update(task, completed=done, total=total, description=f"{what}, {losses}")

    return report


def silent(number: int) -> Report:
    """Where a trial is shown as one line when it ends."""
    return lambda *row: None

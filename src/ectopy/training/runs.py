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
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from rich.console import Console
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
    """Make the folder of a run, or go on with one of the same input and settings; this process alone, until it ends.

    Raises
    ------
    ModelError
        If it is of other ones, or another process works on it.
    """
    note, wanted = folder / "run.json", json.loads(json.dumps(wanted))  # with lists for tuples, as it is read again
    folder.parent.mkdir(parents=True, exist_ok=True)
    _claim(folder)
    if folder.exists() and not (resume and note.is_file()):  # nobody knows what that is of
        note.unlink(missing_ok=True)
        shutil.rmtree(folder)
    if note.is_file() and noted(folder) != wanted:
        raise ModelError(f"{note}: that run had other settings or another input; start again with --no-resume")
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "run.part"
    part.write_text(json.dumps(wanted, indent=2), encoding="utf-8")
    part.replace(note)


def noted(folder: Path) -> dict[str, Any]:
    """What a run is of; empty where that is not known."""
    try:
        note: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return note


def _claim(folder: Path) -> None:
    lock = _CLAIMED.setdefault(folder.resolve(), FileLock(folder.with_name(f".{folder.name}.lock")))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ModelError(
            f"{folder}: another process works on that run; wait for its end, or name another folder with --runs"
        ) from None


_CLAIMED: dict[Path, FileLock] = {}


def progress() -> Progress:
    return Progress(
        TextColumn("{task.description:<45}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),  # what is printed may go into a file
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

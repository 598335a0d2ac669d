"""How `instant` is trained: windows of 24 s, balanced by patient, half of them on abnormal beats, many in noise; then
out-of-fold models, the operating point, the refit, the card."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from statistics import mean

import keras
import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from ectopy import data, zoo
from ectopy.models.instant import InstantConfig, build, step
from ectopy.recording import Recording
from ectopy.signal import condition
from ectopy.training.card import describe, make_folder, of_instant, write_model
from ectopy.training.data import Example, cold_starts, example, folds, hand_held
from ectopy.training.export import to_onnx
from ectopy.training.fit import Report, compiled, fit
from ectopy.training.operating import MIDDLE, analyses, choose, scored
from ectopy.training.runs import Plan, digest, open_run, progress, reporter
from ectopy.training.windows import Windows, validation

_MIDDLE = {"beat": MIDDLE, "abnormal": MIDDLE, "doubt": MIDDLE}  # of the folds' models, until thresholds are chosen


@dataclass(frozen=True)
class Settings:
    """What is set by hand, and written on the card."""

    epochs: int = 12
    steps: int = 100  # an epoch
    batch: int = 24
    seconds: int = 24
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    abnormal: float = 0.5  # share of the windows that are placed on an abnormal beat
    patience: int = 8  # epochs without a better loss of the held-out patients
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Shown:
    """What training sees.

    recordings : by name, those that are scored; `examples` and `cold` are of more where hand-held ones train too
    examples, cold, noise : as in `Windows`
    """

    recordings: dict[str, Recording]
    examples: list[Example]
    cold: list[Example]
    noise: NDArray[np.float32]

    @property
    def digest(self) -> str:
        parts = (*self.examples, *self.cold)
        return digest([self.noise, *(x for e in parts for x in (e.signal, e.label, e.weight))])


@dataclass(frozen=True, eq=False)
class Fold:
    """A model, its best epoch, and the examples of patients that trained it and of those that did not."""

    model: keras.Model
    best: int
    seen: list[Example]
    unseen: list[Example]


def begin(plan: Plan, bar: Progress) -> Shown:
    """The records, and with protocol `shipped` the hand-held ones, conditioned."""
    recordings = plan.begin(bar)
    shown = recordings | hand_held(plan.protocol, plan.data_dir)
    examples, cold = [], []
    for r, recording in bar.track(shown.items(), description="conditioning"):
        examples.append(example(r, data.patient(r), recording))
        cold += cold_starts(r, data.patient(r), recording)
    noise = condition(data.electrode_motion("training", plan.data_dir), Fraction(360)).signal
    return Shown(recordings, examples, cold, noise)


def cross_validate(
    shown: Shown,
    dealt: Sequence[set[str]],
    config: InstantConfig,
    settings: Settings,
    folder: Path,
    report: Callable[[int], Report],
) -> Iterator[Fold]:
    """Fit on the patients of all folds but one, for each fold in turn."""
    for number, held_out in enumerate(dealt):
        seen = [e for e in shown.examples if e.patient not in held_out]
        unseen = [e for e in shown.examples if e.patient in held_out]
        starts = [e for e in shown.cold if e.patient not in held_out]
        place = folder / f"fold{number}"
        model, best = train(seen, starts, unseen, shown.noise, config, settings, place, report(number))
        yield Fold(model, best, seen, unseen)


def written(fold: Fold, config: InstantConfig, protocol: str, folder: Path) -> zoo.TrainedModel:
    """A fold's model as it runs, kept in `folder`; no threshold is chosen yet."""
    records = [e.name for e in fold.seen]
    card = describe(of_instant(config), protocol=protocol, records=records, settings={}, thresholds=_MIDDLE)
    content = to_onnx(fold.model, step(config))
    return zoo.TrainedModel(write_model(folder, content, card), content)


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
        abnormal=settings.abnormal,
        seed=settings.seed,
    )
    checks = validation(held_out, seconds=60, lookahead=config.lookahead) if held_out else None
    return fit(model, windows, checks, settings.epochs, settings.patience, folder, report)


def train_instant(plan: Plan, n_folds: int, settings: Settings | None) -> Path:
    """As `train_model`."""
    settings = replace(settings or Settings(), seed=plan.seed)
    place, folder = plan.place("instant"), plan.folder("instant")
    make_folder(place)  # before half an hour is spent
    with progress() as bar:
        shown = begin(plan, bar)
        config, epochs, dealt = InstantConfig(), [], folds(shown.examples, n_folds)
        wanted = {"settings": asdict(settings), "config": asdict(config), "folds": n_folds, "records": plan.records}
        open_run(folder, plan.resume, {**wanted, "input": shown.digest})

        def report(number: int) -> Report:
            return reporter(bar, f"fold {number + 1} of {n_folds}")

        models: dict[str, zoo.TrainedModel] = {}
        for number, fold in enumerate(cross_validate(shown, dealt, config, settings, folder, report)):
            epochs.append(fold.best)
            models |= dict.fromkeys(
                [e.name for e in fold.unseen], written(fold, config, plan.protocol, folder / f"fold{number}")
            )
        settings = replace(settings, epochs=round(mean(epochs)))
        whole = reporter(bar, "all patients")
        model, _ = train(shown.examples, shown.cold, [], shown.noise, config, settings, folder / "refit", whole)
        bar.add_task("out-of-fold figures", total=None)
        thresholds, points = choose(models, shown.recordings)
        scores = scored(analyses(models, shown.recordings, thresholds), shown.recordings, thresholds["abnormal"])
    card = describe(
        of_instant(config),
        protocol=plan.protocol,
        records=[e.name for e in shown.examples],
        settings={**asdict(settings), "folds": n_folds, "best_epoch_of_each_fold": epochs},
        thresholds=thresholds,
        operating_points=points,
        scores=scores,
    )
    write_model(place, to_onnx(model, step(config)), card)
    return place

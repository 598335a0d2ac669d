"""From the beats of `instant` to a beat model that ships: out-of-fold models, the operating point, the refit, the card.

The folds are those of `instant`: a patient's beats are found by the fold's model that has not seen him, both to train
on and to be tested on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from ectopy import data, zoo
from ectopy.errors import ModelError
from ectopy.recording import Recording
from ectopy.training.calibration import Calibration
from ectopy.training.card import describe, make_folder, of_beat_model, write_model
from ectopy.training.data import hand_held
from ectopy.training.export import rebuilding, to_onnx
from ectopy.training.fit import Report
from ectopy.training.operating import MIDDLE, analyses, operating_points, scored
from ectopy.training.recipes import RECIPES, Recipe, SeriesSettings
from ectopy.training.runs import Plan, digest, noted, open_run, progress, reporter
from ectopy.training.series import Beats, found
from ectopy.zoo import BALANCED


@dataclass(frozen=True)
class Finders:
    """The `instant` that ships, its folds' models at the same operating point, and which of them finds whose beats."""

    shipped: zoo.TrainedModel
    folds: list[zoo.TrainedModel]

    def fold(self, record: str) -> int:
        """Number of the first fold whose model has not seen the record's patient."""
        return next(n for n, finder in enumerate(self.folds) if self.unseen(record, n))

    def unseen(self, record: str, number: int) -> bool:
        seen = {data.patient(r) for r in self.folds[number].card["records"]}
        return data.patient(record) not in seen


Found = Mapping[str, list[Beats]]  # for each record each lead as it is and in noise; the first is the headline


@dataclass(frozen=True)
class Fold:
    """What came out of one fold.

    evidence : of each held-out record, of its first lead as it is
    """

    model: keras.Model
    best: int
    evidence: dict[str, NDArray[np.float32]]


def train_beat_model(name: str, plan: Plan, settings: SeriesSettings | None) -> Path:
    """As `train_model`, on top of a finished run of `instant` with the same protocol and seed.

    Raises
    ------
    ModelError
        If there is no such run.
    """
    recipe = RECIPES[name]
    settings = replace(settings or recipe.settings, seed=plan.seed)
    place, folder = plan.place(name), plan.folder(name)
    finders = find_finders(place.parent, plan.folder("instant"), plan.protocol)
    make_folder(place)
    with progress() as bar:
        recordings = plan.begin(bar)
        beats = find_beats(recordings, plan, finders, bar)
        wanted = {"settings": asdict(settings), "config": asdict(recipe.config), "records": plan.records}
        every = [one for leads in beats.values() for one in leads]
        open_run(folder, plan.resume, {**wanted, "input": shown(beats)})

        def report(number: int) -> Report:
            return reporter(bar, f"fold {number + 1} of {len(finders.folds)}")

        folds = [*cross_validate(recipe, beats, beats, finders, recipe.config, settings, folder, report)]
        models: dict[str, zoo.TrainedModel] = {}
        for number, fold in enumerate(folds):
            others = [one for one in folds if one is not fold]
            card = describe(
                of_beat_model(name, recipe, finders.folds[number]),
                protocol=plan.protocol,
                records=[r for r in beats if r not in fold.evidence],
                settings={},
                thresholds={"abnormal": MIDDLE},
            )
            content = _exported(recipe, fold.model, calibrated(recipe, others, beats))
            written = write_model(folder / f"fold{number}", content, card)
            models |= dict.fromkeys(fold.evidence, zoo.TrainedModel(written, content, finders.folds[number]))
        settings = replace(settings, epochs=round(mean(fold.best for fold in folds)))
        report_all = reporter(bar, "all patients")
        model, _ = recipe.fit(every, [], recipe.config, settings, folder / "refit", report_all)
        bar.add_task("out-of-fold figures", total=None)
        points = operating_points(analyses(models, recordings, {"abnormal": MIDDLE}), recordings)
        scores = scored(analyses(models, recordings, {"abnormal": points[BALANCED]}), recordings, points[BALANCED])
    card = describe(
        of_beat_model(name, recipe, finders.shipped),
        protocol=plan.protocol,
        records=list(dict.fromkeys([*beats, *finders.shipped.card["records"]])),
        settings={
            **asdict(settings),
            "folds": len(folds),
            "best_epoch_of_each_fold": [fold.best for fold in folds],
        },
        thresholds={"abnormal": points[BALANCED]},
        operating_points=points,
        scores=scores,
    )
    content = _exported(recipe, model, calibrated(recipe, folds, beats))
    write_model(place, content, card)
    if recipe.output == ("anomaly",):
        (place / "rebuild.onnx").write_bytes(rebuilding(content))
    return place


def find_finders(models: Path, run: Path, protocol: str) -> Finders:
    """What a beat model is built on; ModelError where it is not there."""
    places = sorted(path.parent for path in run.glob("fold*/card.json"))
    card = models / "instant" / "card.json"
    if not places or len(places) != noted(run).get("folds"):
        raise ModelError(
            f"{run}: no finished run of instant to build on; "
            f"run 'ectopy train instant --protocol {protocol} --runs {run.parent}' first"
        )
    if not card.is_file():
        raise ModelError(
            f"{card.parent}: no trained instant there; name the folder that 'ectopy train instant --out FOLDER' wrote"
        )
    finder = zoo.load(str(card.parent))
    if finder.card["protocol"] != protocol:
        raise ModelError(
            f"{card.parent}: instant was trained with protocol {finder.card['protocol']}, not {protocol}; name the "
            f"folder that 'ectopy train instant --protocol {protocol} --out FOLDER' wrote"
        )
    folds = [zoo.load(str(place)) for place in places]
    return Finders(finder, [replace(fold, card={**fold.card, "thresholds": finder.thresholds}) for fold in folds])


def find_beats(recordings: Mapping[str, Recording], plan: Plan, finders: Finders, bar: Progress) -> Found:
    """The beats of each record, and with protocol `shipped` of the hand-held ones, by the fold that has not seen its
    patient."""
    every = {**recordings, **hand_held(plan.protocol, plan.data_dir)}
    rates = {recording.fs for recording in every.values()}
    motion = {fs: data.electrode_motion("training", plan.data_dir, fs=fs) for fs in rates}
    tracked = bar.track(every.items(), description="finding beats")
    return {r: found(r, recording, finders.folds[finders.fold(r)], motion[recording.fs]) for r, recording in tracked}


def shown(beats: Found) -> str:
    """A digest of all that a model is shown."""
    return digest(x for leads in beats.values() for one in leads for x in (one.shape, one.rhythm, one.label))


def cross_validate(
    recipe: Recipe,
    taught: Found,
    tested: Found,
    finders: Finders,
    config: Any,
    settings: SeriesSettings,
    folder: Path,
    report: Callable[[int], Report],
) -> Iterator[Fold]:
    """Fit on all folds but one, and ask the model of that one's patients, for each fold in turn."""
    for number in range(len(finders.folds)):
        seen = [one for r in taught if not finders.unseen(r, number) for one in taught[r]]
        held_out = [r for r in tested if finders.fold(r) == number]
        checks = [tested[r][0] for r in held_out]
        model, best = recipe.fit(seen, checks, config, settings, folder / f"fold{number}", report(number))
        evidence = recipe.evidence(model, config, checks)
        yield Fold(model, best, dict(zip(held_out, evidence, strict=True)))


def calibrated(recipe: Recipe, folds: Sequence[Fold], beats: Found) -> Calibration:
    """By what these folds knew of their held-out patients."""
    pairs = [(rows, beats[r][0].label) for fold in folds for r, rows in fold.evidence.items()]
    evidence, truth = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return recipe.calibrate(evidence[truth >= 0], truth[truth >= 0])


def _exported(recipe: Recipe, model: keras.Model, calibration: Calibration) -> bytes:
    return to_onnx(model, recipe.build(recipe.config, step=True), label=calibration.label(model))

"""From the data to a model that ships: out-of-fold models, the operating point, the refit, the card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from statistics import mean

import keras
import tensorflow as tf

from ectopy import data, zoo
from ectopy.errors import ModelError
from ectopy.models.instant import InstantConfig, step
from ectopy.signal import condition
from ectopy.training.beat_model import train_beat_model
from ectopy.training.card import describe, make_folder, of_instant, write_model
from ectopy.training.data import cold_starts, example, folds, hand_held
from ectopy.training.export import to_onnx
from ectopy.training.instant import Settings, train
from ectopy.training.operating import analyses, choose, scored
from ectopy.training.quality import fit_quality
from ectopy.training.recipes import RECIPES, SeriesSettings
from ectopy.training.rhythm import fit_rhythm
from ectopy.training.runs import digest, open_run, progress, reporter, training_records

_MIDDLE = {"beat": 0.5, "abnormal": 0.5, "doubt": 0.5}  # of the folds' models, until the thresholds are chosen


def train_model(
    name: str,
    *,
    protocol: str = "shipped",
    data_dir: Path | None = None,
    out: Path | None = None,
    runs: Path = Path("runs"),
    seed: int = 0,
    n_folds: int = 4,
    resume: bool = True,
    settings: Settings | SeriesSettings | None = None,
    records: Sequence[str] | None = None,
) -> Path:
    """Train a model and write it with its card; gives the folder that it lies in.

    A cross-validation by patient on the training records gives the number of epochs and the thresholds; the model
    that ships is refitted on all of them for that many epochs. Each epoch is kept in `runs`, so that a run that was
    interrupted goes on.

    Parameters
    ----------
    name : the model: `instant`; one of `RECIPES`, on top of a finished run of `instant`; or `quality` for the index
        of signal quality, `rhythm` for that of irregular rhythm
    protocol : which records train it, see `ectopy.data.training`; `shipped` adds the training half of cinc2017, as
        far as it is labelled normal
    data_dir : where the databases lie, see `ectopy.data.find`
    out : folder of the models; those of this package if not given
    seed : of weights, windows and augmentation
    n_folds : of the cross-validation of `instant`, whose folds the others take over
    resume : go on from `runs`; False starts again
    settings, records : fewer epochs and records, for a trial

    Raises
    ------
    ModelError
        If there is no such model, or the run to go on from had other settings.
    RecordError
        If a record is not on this machine, or a test record.
    """
    if name == "quality":
        return fit_quality(data_dir, out)
    if name == "rhythm":
        return fit_rhythm(data_dir, out)
    if name in RECIPES:
        assert settings is None or isinstance(settings, SeriesSettings)
        return train_beat_model(
            name,
            protocol=protocol,
            data_dir=data_dir,
            out=out,
            runs=runs,
            seed=seed,
            resume=resume,
            settings=settings,
            records=records,
        )
    if name != "instant":
        raise ModelError(f"no model '{name}' to train; expected instant, {', '.join(RECIPES)}, quality or rhythm")
    assert settings is None or isinstance(settings, Settings)
    settings = replace(settings or Settings(), seed=seed)
    records = training_records(protocol, records)
    place = (out or Path(zoo.__file__).parent) / name
    make_folder(place)  # before half an hour is spent
    folder = runs / f"{name}-{protocol}-seed{seed}"
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    with progress() as bar:
        recordings = {r: data.read(r, data_dir=data_dir) for r in bar.track(records, description="reading")}
        shown = {**recordings, **(hand_held(data_dir) if protocol == "shipped" else {})}
        examples, cold = [], []
        for r, recording in bar.track(shown.items(), description="conditioning"):
            examples.append(example(r, data.patient(r), recording))
            cold += cold_starts(r, data.patient(r), recording)
        motion = data.electrode_motion("training", data_dir)
        noise = condition(motion, Fraction(360)).signal
        config, epochs = InstantConfig(), []
        shown_arrays = [noise, *(x for e in (*examples, *cold) for x in (e.signal, e.label, e.weight))]
        wanted = {"settings": asdict(settings), "config": asdict(config), "folds": n_folds, "records": list(records)}
        open_run(folder, resume, json.loads(json.dumps({**wanted, "input": digest(shown_arrays)})))
        models: dict[str, zoo.TrainedModel] = {}
        for number, held_out in enumerate(folds(examples, n_folds)):
            seen = [e for e in examples if e.patient not in held_out]
            unseen = [e for e in examples if e.patient in held_out]
            starts = [e for e in cold if e.patient not in held_out]
            report = reporter(bar, f"fold {number + 1} of {n_folds}")
            model, best = train(seen, starts, unseen, noise, config, settings, folder / f"fold{number}", report)
            epochs.append(best)
            card = describe(
                of_instant(config), protocol=protocol, records=[e.name for e in seen], settings={}, thresholds=_MIDDLE
            )
            content = to_onnx(model, step(config))
            fold = zoo.TrainedModel(write_model(folder / f"fold{number}", content, card), content)
            models |= {e.name: fold for e in unseen}
        settings = replace(settings, epochs=round(mean(epochs)))
        report = reporter(bar, "all patients")
        model, _ = train(examples, cold, [], noise, config, settings, folder / "refit", report)
        bar.add_task("out-of-fold figures", total=None)
        thresholds, points = choose(models, recordings)
        scores = scored(analyses(models, recordings, thresholds), recordings, thresholds["abnormal"])
    card = describe(
        of_instant(config),
        protocol=protocol,
        records=list(shown),
        settings={**asdict(settings), "folds": n_folds, "best_epoch_of_each_fold": epochs},
        thresholds=thresholds,
        operating_points=points,
        scores=scores,
    )
    write_model(place, to_onnx(model, step(config)), card)
    return place

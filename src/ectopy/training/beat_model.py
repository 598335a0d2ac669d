"""From the beats of `instant` to a beat model that ships: out-of-fold models, the operating point, the refit, the card.

The folds are those of `instant`: a patient's beats are found by the fold's model that has not seen him, both to train
on and to be tested on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import mean

import keras
import tensorflow as tf

from ectopy import data, zoo
from ectopy.errors import ModelError
from ectopy.models.sequence import SequenceConfig, build
from ectopy.training.card import describe, make_folder, of_sequence, write_model
from ectopy.training.export import to_onnx
from ectopy.training.operating import analyses, best_abnormal, scored
from ectopy.training.runs import digest, open_run, progress, reporter
from ectopy.training.sequence import SequenceSettings, train_sequence
from ectopy.training.series import Beats, found


def train_beat_model(
    name: str,
    *,
    protocol: str,
    data_dir: Path | None,
    out: Path | None,
    runs: Path,
    seed: int,
    resume: bool,
    settings: SequenceSettings | None = None,
    records: Sequence[str] | None = None,
) -> Path:
    """As `train_model`, on top of a finished run of `instant` with the same protocol and seed.

    Raises
    ------
    ModelError
        If there is no such run.
    """
    settings = replace(settings or SequenceSettings(), seed=seed)
    records = tuple(data.training(protocol) if records is None else records)
    place = (out or Path(zoo.__file__).parent) / name
    finder, finders = _finders(place.parent, runs / f"instant-{protocol}-seed{seed}", protocol)
    make_folder(place)
    folder = runs / f"{name}-{protocol}-seed{seed}"
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    with progress() as bar:
        recordings = {r: data.read(r, data_dir=data_dir) for r in bar.track(records, description="reading")}
        motion = data.electrode_motion("training", data_dir)
        unseen_by = {r: next(f for f in finders if _unseen(r, f)) for r in records}
        beats: dict[str, list[Beats]] = {
            r: found(r, recording, unseen_by[r], motion)
            for r, recording in bar.track(recordings.items(), description="finding beats")
        }
        config, epochs = SequenceConfig(), []
        wanted = {"settings": asdict(settings), "config": asdict(config), "records": list(records)}
        every = [one for r in records for one in beats[r]]
        shown = digest(x for one in every for x in (one.shape, one.rhythm, one.label))
        open_run(folder, resume, json.loads(json.dumps({**wanted, "input": shown})))
        models: dict[str, zoo.TrainedModel] = {}
        for number, fold_finder in enumerate(finders):
            seen = [one for r in records if not _unseen(r, fold_finder) for one in beats[r]]
            held_out = [r for r in records if unseen_by[r] is fold_finder]
            checks = [beats[r][0] for r in held_out]  # the first lead as it is
            report = reporter(bar, f"fold {number + 1} of {len(finders)}")
            model, best = train_sequence(seen, checks, config, settings, folder / f"fold{number}", report)
            epochs.append(best)
            card = describe(
                of_sequence(config, fold_finder),
                protocol=protocol,
                records=[r for r in records if r not in held_out],
                settings={},
                thresholds={"abnormal": 0.5},
            )
            content = to_onnx(model, build(config, step=True))
            fold = zoo.TrainedModel(write_model(folder / f"fold{number}", content, card), content, fold_finder)
            models |= dict.fromkeys(held_out, fold)
        settings = replace(settings, epochs=round(mean(epochs)))
        report = reporter(bar, "all patients")
        model, _ = train_sequence(every, [], config, settings, folder / "refit", report)
        bar.add_task("out-of-fold figures", total=None)
        abnormal = best_abnormal(analyses(models, recordings, {"abnormal": 0.5}), recordings)
        scores = scored(analyses(models, recordings, {"abnormal": abnormal}), recordings)
    card = describe(
        of_sequence(config, finder),
        protocol=protocol,
        records=list(dict.fromkeys([*records, *finder.card["records"]])),
        settings={**asdict(settings), "folds": len(finders), "best_epoch_of_each_fold": epochs},
        thresholds={"abnormal": abnormal},
        scores=scores,
    )
    write_model(place, to_onnx(model, build(config, step=True)), card)
    return place


def _finders(models: Path, run: Path, protocol: str) -> tuple[zoo.TrainedModel, list[zoo.TrainedModel]]:
    """The `instant` that ships, and its folds' models at the same operating point."""
    places = sorted(path.parent for path in run.glob("fold*/card.json"))
    card = models / "instant" / "card.json"
    if not places or not card.is_file():
        raise ModelError(f"{run}: no finished run of instant to build on; run 'ectopy train instant' first")
    finder = zoo.load(str(card.parent))
    if finder.card["protocol"] != protocol:
        raise ModelError(
            f"{card.parent}: instant was trained with protocol {finder.card['protocol']}, not {protocol}; "
            f"run 'ectopy train instant --protocol {protocol}' first"
        )
    folds = [zoo.load(str(place)) for place in places]
    return finder, [replace(fold, card={**fold.card, "thresholds": finder.thresholds}) for fold in folds]


def _unseen(record: str, finder: zoo.TrainedModel) -> bool:
    return data.patient(record) not in {data.patient(r) for r in finder.card["records"]}

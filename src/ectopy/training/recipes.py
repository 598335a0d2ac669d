"""How each beat model is trained, and what it knows of a beat before its last layer, which is fitted out of fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ectopy.models import autoencoder, hybrid, sequence
from ectopy.recording import AAMI_CLASSES
from ectopy.training.calibration import Calibration, Logistic, Rescaled
from ectopy.training.export import copy_weights
from ectopy.training.fit import Report, compiled, fit
from ectopy.training.series import Beats, NormalWindows, SeriesWindows, normal_only, whole


@dataclass(frozen=True)
class SeriesSettings:
    """What is set by hand, or by `ectopy tune`, and written on the card."""

    epochs: int = 6
    steps: int = 120  # an epoch
    batch: int = 32
    length: int = 64  # beats in a row
    abnormal: float = 0.48  # of the rows lie on an abnormal beat
    hidden: float = 0.39  # of the rows do without the heart rate, and without the beat finder's opinion
    gain: float = 0.2  # spread of the logarithm of amplitude; of either sign
    learning_rate: float = 3.35e-3
    weight_decay: float = 2.75e-2
    patience: int = 4  # epochs without a better loss of the held-out patients
    seed: int = 0


Fitted = tuple[keras.Model, int]  # the best model and its epoch


@dataclass(frozen=True)
class Recipe:
    """One beat model.

    does : what it does, for its card
    output : names of what it gives for a beat
    fit : on beats, stopping early on held-out ones (none: run all epochs)
    build : its architecture, by config; with `step` the stream's
    evidence : what it knows of each beat of some series, (n, m) each
    calibrate : the last layer, from (n, m) evidence on unseen patients and (n,) their reference, 0 to 4
    one_by_one : some layer is narrower than 16 channels: beats that run side by side would differ in their last bits
    """

    does: str
    output: tuple[str, ...]
    config: Any
    settings: SeriesSettings
    fit: Callable[[Sequence[Beats], Sequence[Beats], Any, SeriesSettings, Path, Report], Fitted]
    build: Callable[..., keras.Model]
    evidence: Callable[[keras.Model, Any, Sequence[Beats]], list[NDArray[np.float32]]]
    calibrate: Callable[[NDArray[np.float32], NDArray[np.int64]], Calibration]
    one_by_one: bool = False


def _windows(kind: type[SeriesWindows], beats: Sequence[Beats], settings: SeriesSettings) -> SeriesWindows:
    names = ("length", "batch", "steps", "seed", "abnormal", "hidden", "gain")
    return kind(beats, **{name: getattr(settings, name) for name in names})


def _compiled(model: keras.Model, settings: SeriesSettings, **loss: Any) -> keras.Model:
    names = ("epochs", "steps", "learning_rate", "weight_decay")
    return compiled(model, **{name: getattr(settings, name) for name in names}, **loss)


def _fit_classifier(
    model: keras.Model,
    beats: Sequence[Beats],
    held_out: Sequence[Beats],
    settings: SeriesSettings,
    folder: Path,
    report: Report,
) -> Fitted:
    checks = whole(held_out, settings.length) if held_out else None
    windows = _windows(SeriesWindows, beats, settings)
    return fit(_compiled(model, settings), windows, checks, settings.epochs, settings.patience, folder, report)


def _fit_sequence(
    beats: Sequence[Beats],
    held_out: Sequence[Beats],
    config: sequence.SequenceConfig,
    settings: SeriesSettings,
    folder: Path,
    report: Report,
) -> Fitted:
    keras.utils.set_random_seed(settings.seed)
    return _fit_classifier(sequence.build(config), beats, held_out, settings, folder, report)


def _fit_autoencoder(
    beats: Sequence[Beats],
    held_out: Sequence[Beats],
    config: autoencoder.AutoencoderConfig,
    settings: SeriesSettings,
    folder: Path,
    report: Report,
) -> Fitted:
    keras.utils.set_random_seed(settings.seed)
    model = _compiled(autoencoder.build(config), settings, loss=autoencoder.loss)
    checks = normal_only(whole(held_out, settings.length)) if held_out else None
    windows = _windows(NormalWindows, beats, settings)
    return fit(model, windows, checks, settings.epochs, settings.patience, folder, report)


def _fit_hybrid(
    beats: Sequence[Beats],
    held_out: Sequence[Beats],
    config: hybrid.HybridConfig,
    settings: SeriesSettings,
    folder: Path,
    report: Report,
) -> Fitted:
    """The autoencoder on the same patients first; its errors are then part of what the classifier sees."""
    first = RECIPES["autoencoder-adaptive"].settings
    first = replace(first, seed=settings.seed, steps=min(first.steps, settings.steps))
    inside, _ = _fit_autoencoder(beats, held_out, config.autoencoder, first, folder / "autoencoder", report)
    keras.utils.set_random_seed(settings.seed)
    model = hybrid.build(config)
    copy_weights(inside, model.get_layer("unexplained"))
    return _fit_classifier(model, beats, held_out, settings, folder, report)


def _probabilities(model: keras.Model, config: Any, beats: Sequence[Beats]) -> list[NDArray[np.float32]]:
    """(n, 5) logarithms of the classes' probabilities."""
    return [np.log(np.maximum(said, 1e-7)) for said in _asked(model, beats)]


def _errors(
    model: keras.Model, config: autoencoder.AutoencoderConfig, beats: Sequence[Beats]
) -> list[NDArray[np.float32]]:
    """(n, 11) logarithms of the autoencoder's errors."""
    unexplained = autoencoder.unexplained(config)
    copy_weights(model, unexplained)
    return _asked(keras.Model(unexplained.inputs, unexplained.outputs[1]), beats)


def _asked(model: keras.Model, beats: Sequence[Beats]) -> list[NDArray[np.float32]]:
    """What it says of each series, as one graph for series of any length."""
    signature = [tf.TensorSpec((1, *tensor.shape[1:]), tf.float32) for tensor in model.inputs]
    run = tf.function(lambda *inputs: model(list(inputs), training=False), input_signature=signature)
    nothing = np.zeros((0, model.outputs[0].shape[-1]), np.float32)  # TensorFlow refuses a series without beats
    return [
        run(one.shape[None], one.usual[None], one.rhythm[None])[0].numpy() if len(one.label) else nothing
        for one in beats
    ]


def _classifier(**own: Any) -> Recipe:
    return Recipe(output=AAMI_CLASSES, evidence=_probabilities, calibrate=Rescaled.fitted, **own)


def _detector(**own: Any) -> Recipe:
    own = {"fit": _fit_autoencoder, "build": autoencoder.build, "settings": _OF_NORMAL_BEATS, **own}
    return Recipe(output=("anomaly",), evidence=_errors, calibrate=Logistic.fitted, one_by_one=True, **own)


_OF_NORMAL_BEATS = SeriesSettings(epochs=4, abnormal=0.34, hidden=0.37, learning_rate=6.4e-4, weight_decay=0.083)
RECIPES = {
    "sequence": _classifier(
        does="gives each beat of a series its AAMI class, by its shape and the rhythm it stands in",
        config=sequence.SequenceConfig(),
        settings=SeriesSettings(),
        fit=_fit_sequence,
        build=sequence.build,
    ),
    "autoencoder": _detector(
        does="says how unlike a normal beat each beat is; it has seen normal beats only",
        config=autoencoder.AutoencoderConfig(),
    ),
    "autoencoder-adaptive": _detector(
        does="says how unlike a normal beat of this patient each beat is; it has seen normal beats only",
        config=autoencoder.AutoencoderConfig(adaptive=True),
    ),
    "hybrid": _classifier(
        does="gives each beat its AAMI class, by what `sequence` sees and what an autoencoder can't explain of it",
        config=hybrid.HybridConfig(),
        settings=SeriesSettings(),
        fit=_fit_hybrid,
        build=hybrid.build,
        one_by_one=True,  # the autoencoder inside
    ),
}

"""`sequence`: the AAMI class of every beat in a series, from its shape and the rhythm it stands in.

(batch, n, 128) shape, (batch, n, 128) usual shape, (batch, n, 15) rhythm  ->  (batch, n, 5): N, S, V, F, Q

One encoder for every beat, then a recurrent layer over the beats in the order of time, after Hochreiter & Schmidhuber
1997 (LSTM); `ectopy.signal.Series` says what the inputs hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras
from keras import layers, ops

from ectopy.recording import AAMI_CLASSES
from ectopy.signal import RHYTHM, WINDOW


@dataclass(frozen=True)
class SequenceConfig:
    channels: tuple[int, ...] = (16, 32, 48)  # of the encoder's convolutions; multiples of 16, as in `instant`
    kernel: int = 7
    width: int = 48  # of a beat's features, and of the memory
    dropout: float = 0.1


def build(config: SequenceConfig = SequenceConfig(), *, step: bool = False) -> keras.Model:
    """Whole series for training; with `step` the memory is an input and an output, for the stream."""
    inputs = shape, usual, rhythm = series_inputs()
    views = [shape[:, :, WINDOW], layers.Subtract()([shape, usual])[:, :, WINDOW]]
    x = encode(views, config.channels, config.kernel)
    label, states, after = recall([x, rhythm], config, step=step)
    return keras.Model([*inputs, *states], [label, *after] if step else label, name="sequence")


def series_inputs() -> list[keras.KerasTensor]:
    """What every beat model takes: shape, usual shape and rhythm of the beats of a series."""
    sizes = {"shape": 128, "usual": 128, "rhythm": len(RHYTHM)}
    return [keras.Input((None, n), name=name) for name, n in sizes.items()]


def encode(
    views: Sequence[keras.KerasTensor], channels: Sequence[int], kernel: int, name: str = ""
) -> keras.KerasTensor:
    """(batch, n, features) of the beats' `WINDOW`; views : (batch, n, 64) each, a beat seen in several ways."""
    x = ops.stack(list(views), axis=3)
    for number, width in enumerate(channels):
        x = layers.Conv2D(width, (1, kernel), strides=(1, 2), padding="same", name=f"{name}conv{number}")(x)
        x = layers.BatchNormalization(momentum=0.95, name=f"{name}norm{number}")(x)
        x = layers.ReLU()(x)
    return layers.Reshape((-1, x.shape[2] * x.shape[3]))(x)


def recall(
    parts: Sequence[keras.KerasTensor], config: SequenceConfig, *, step: bool
) -> tuple[keras.KerasTensor, list[keras.KerasTensor], list[keras.KerasTensor]]:
    """The classes of beats in a row, the memory before them (an input, with `step`) and after them.

    parts : what is known of each beat: its shape's features, then others
    """
    shape, *others = parts
    x = [layers.Dense(config.width, activation="relu", name="shape_dense")(shape)]
    x += [layers.Dense(32, activation="relu", name=f"other{n}")(other) for n, other in enumerate(others)]
    beat = layers.Dropout(config.dropout, name="drop_beat")(layers.Concatenate()(x))
    beat = layers.Dense(config.width, activation="relu", name="beat")(beat)
    memory = layers.LSTM(config.width, return_sequences=True, return_state=True, name="memory")
    states = [keras.Input((config.width,), name=f"state_{name}") for name in ("h", "c")] if step else []
    recalled, *after = memory(beat, initial_state=states or None)
    mixed = layers.Dropout(config.dropout, name="drop")(layers.Concatenate()([beat, recalled]))
    mixed = layers.Dense(config.width, activation="relu", name="mix")(mixed)
    return layers.Dense(len(AAMI_CLASSES), activation="softmax", name="label")(mixed), states, after

"""`sequence`: the AAMI class of every beat in a series, from its shape and the rhythm it stands in.

(batch, n, 128) shape, (batch, n, 128) usual shape, (batch, n, 15) rhythm  ->  (batch, n, 5): N, S, V, F, Q

One encoder for every beat, then a recurrent layer over the beats in the order of time, after Hochreiter & Schmidhuber
1997 (LSTM); `ectopy.signal.Series` says what the inputs hold.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import layers

from ectopy.recording import AAMI_CLASSES
from ectopy.signal import RHYTHM


@dataclass(frozen=True)
class SequenceConfig:
    channels: tuple[int, ...] = (16, 32, 48)  # of the encoder's convolutions; multiples of 16, as in `instant`
    kernel: int = 7
    width: int = 64  # of a beat's features, and of the memory
    dropout: float = 0.3


def build(config: SequenceConfig = SequenceConfig(), *, step: bool = False) -> keras.Model:
    """Whole series for training; with `step` the memory is an input and an output, for the stream."""
    shape = keras.Input((None, 128), name="shape")
    usual = keras.Input((None, 128), name="usual")
    rhythm = keras.Input((None, len(RHYTHM)), name="rhythm")
    x = encode(shape, usual, config)
    x = layers.Concatenate()([x, layers.Dense(32, activation="relu", name="rhythm_dense")(rhythm)])
    x = layers.Dropout(config.dropout, name="drop_beat")(x)
    x = layers.Dense(config.width, activation="relu", name="beat")(x)
    memory = layers.LSTM(config.width, return_sequences=True, return_state=True, name="memory")
    states = [keras.Input((config.width,), name=f"state_{name}") for name in ("h", "c")] if step else []
    recalled, *after = memory(x, initial_state=states or None)
    x = layers.Concatenate()([x, recalled])
    x = layers.Dropout(config.dropout, name="drop")(x)
    x = layers.Dense(config.width, activation="relu", name="mix")(x)
    x = layers.Dense(len(AAMI_CLASSES), activation="softmax", name="label")(x)
    inputs = [shape, usual, rhythm]
    return keras.Model([*inputs, *states], [x, *after] if step else x, name="sequence")


def encode(shape: keras.KerasTensor, usual: keras.KerasTensor, config: SequenceConfig) -> keras.KerasTensor:
    """(batch, n, width) of what a beat looks like and how it differs from the patient's usual one."""
    x = layers.Concatenate(axis=3)(
        [layers.Reshape((-1, 128, 1))(shape), layers.Reshape((-1, 128, 1))(layers.Subtract()([shape, usual]))]
    )
    for number, channels in enumerate(config.channels):
        x = layers.Conv2D(channels, (1, config.kernel), strides=(1, 2), padding="same", name=f"conv{number}")(x)
        x = layers.BatchNormalization(momentum=0.95, name=f"norm{number}")(x)
        x = layers.ReLU()(x)
    x = layers.Reshape((-1, 128 // 2 ** len(config.channels) * config.channels[-1]))(x)
    return layers.Dense(config.width, activation="relu", name="shape_dense")(x)

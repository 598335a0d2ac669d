"""`hybrid`: `sequence` that also sees what `autoencoder` could not explain. Classes and anomaly come out together.

(batch, n, 128) shape, (batch, n, 128) usual shape, (batch, n, 15) rhythm  ->  (batch, n, 5): N, S, V, F, Q

The encoder sees the residual of the rebuilt beat beside the beat itself, the memory its errors; the autoencoder inside
is trained first, on normal beats, and stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import keras
from keras import layers

from ectopy.models.autoencoder import AutoencoderConfig, unexplained
from ectopy.models.sequence import SequenceConfig, encode, recall, series_inputs
from ectopy.signal import WINDOW


@dataclass(frozen=True)
class HybridConfig:
    sequence: SequenceConfig = field(default_factory=SequenceConfig)
    autoencoder: AutoencoderConfig = field(default_factory=lambda: AutoencoderConfig(adaptive=True))


def build(config: HybridConfig = HybridConfig(), *, step: bool = False) -> keras.Model:
    """Whole series for training; with `step` the memory is an input and an output, for the stream."""
    inputs = shape, usual, rhythm = series_inputs()
    residual, errors = unexplained(config.autoencoder)(inputs)
    views = [shape[:, :, WINDOW], layers.Subtract()([shape, usual])[:, :, WINDOW], residual]
    x = encode(views, config.sequence.channels, config.sequence.kernel)
    errors = layers.BatchNormalization(momentum=0.95, name="errors")(errors)
    label, states, after = recall([x, rhythm, errors], config.sequence, step=step)
    return keras.Model([*inputs, *states], [label, *after] if step else label, name="hybrid")

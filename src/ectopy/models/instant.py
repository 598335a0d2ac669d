"""`instant`: a class for every moment. Dilated convolutions over the raw signal, after Bai et al. 2018 (TCN).

(batch, n) at 128 Hz, normalised  ->  (batch, n / 4, 6): no beat, N, S, V, F, Q

The first blocks look `lookahead` frames ahead, where the end of a QRS complex, its T wave and the pause behind it lie;
the others look back only.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import layers

CLASSES = ("no beat", "N", "S", "V", "F", "Q")
_STEM = ((8, 32), (6, None))  # kernel and channels of the two convolutions that halve the rate


@dataclass(frozen=True)
class InstantConfig:
    width: int = 32  # channels; multiples of 16 keep ONNX Runtime bit-equal in any cut
    kernel: int = 5
    ahead: tuple[int, ...] = (1, 2, 4, 8)  # dilations of the blocks that see both sides
    back: tuple[int, ...] = (8, 16, 32)  # of those that see the past only: 8 s in all
    dropout: float = 0.1

    @property
    def lookahead(self) -> int:
        """Frames between a moment and its label."""
        return sum(self.ahead) * (self.kernel - 1) // 2


def build(config: InstantConfig = InstantConfig()) -> keras.Model:
    """Whole windows at once, for training: label `i` belongs to frame `i`."""
    signal = keras.Input((None,), name="signal")
    x = layers.Reshape((1, -1, 1))(signal)
    for number, (kernel, channels) in enumerate(_STEM):
        x = layers.ZeroPadding2D(((0, 0), (kernel - 2, 0)))(x)
        x = _stem(number, kernel, channels or config.width)(x)
    for number, dilation in enumerate(config.ahead + config.back):
        reach = (config.kernel - 1) * dilation
        right = reach // 2 if number < len(config.ahead) else 0
        # zeros before the first frame and `right` frames kept from before it: what the stream's empty pasts give
        padded = layers.ZeroPadding2D(((0, 0), (reach, right)))(x)
        late = padded[:, :, reach - right : -right or None]  # (a second padding crashes TensorFlow 2.21's oneDNN)
        x = layers.Add()([late, _branch(number, padded, dilation, config)])
    return keras.Model(signal, _head(x)[:, config.lookahead :], name="instant")


def step(config: InstantConfig = InstantConfig()) -> keras.Model:
    """The same layers with their pasts as inputs and outputs, for the stream: labels come `lookahead` frames late."""
    signal = keras.Input((None,), name="signal")
    x = layers.Reshape((1, -1, 1))(signal)
    states, after = [], []
    for number, (kernel, channels) in enumerate(_STEM):
        past, x = _with_past(f"state_stem{number}", x, kernel - 2)
        states.append(past)
        after.append(x[:, :, -(kernel - 2) :])
        x = _stem(number, kernel, channels or config.width)(x)
    for number, dilation in enumerate(config.ahead + config.back):
        reach = (config.kernel - 1) * dilation
        past, padded = _with_past(f"state_block{number}", x, reach)
        states.append(past)
        after.append(padded[:, :, -reach:])
        late = padded[:, :, reach // 2 : -(reach // 2)] if number < len(config.ahead) else x
        x = layers.Add()([late, _branch(number, padded, dilation, config)])
    return keras.Model([signal, *states], [_head(x), *after], name="instant_step")


def _with_past(name: str, x: keras.KerasTensor, length: int) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    past = keras.Input((1, length, x.shape[-1]), name=name)
    return past, layers.Concatenate(axis=2)([past, x])


def _stem(number: int, kernel: int, channels: int) -> keras.Layer:
    return layers.Conv2D(channels, (1, kernel), strides=(1, 2), activation="relu", name=f"stem{number}")


def _branch(number: int, x: keras.KerasTensor, dilation: int, config: InstantConfig) -> keras.KerasTensor:
    x = layers.Conv2D(
        config.width, (1, config.kernel), dilation_rate=(1, dilation), use_bias=False, name=f"conv{number}"
    )(x)
    x = layers.BatchNormalization(momentum=0.95, name=f"norm{number}")(x)
    x = layers.ReLU()(x)
    x = layers.SpatialDropout2D(config.dropout)(x)
    return layers.Conv2D(config.width, 1, name=f"mix{number}")(x)


def _head(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.BatchNormalization(momentum=0.95, name="norm")(x)
    x = layers.ReLU()(x)
    x = layers.Conv2D(len(CLASSES), 1, activation="softmax", name="label")(x)
    return layers.Reshape((-1, len(CLASSES)))(x)

"""`autoencoder`: how unlike a normal beat a beat is. It has seen normal beats only, and rebuilds each as one of them.

(batch, n, 128) shape, (batch, n, 128) usual shape, (batch, n, 15) rhythm  ->  (batch, n, 1): anomaly

A beat's shape passes through a narrow code, after Sakurada & Yairi 2014, and is rebuilt from noise added to it (Vincent
et al. 2008); when it comes, and what comes before and after it, is foretold from how regular the rhythm is. What
neither explains is the error; a logistic regression on its logarithms, fitted out of fold, makes it a probability.
`adaptive` also shows the decoder the patient's own usual beat, which the first minutes of his stream set.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import layers, ops

from ectopy.models.sequence import encode, series_inputs
from ectopy.signal import RHYTHM, WINDOW

TIMING = slice(RHYTHM.index("rr / median 32"), RHYTHM.index("rr after / median 32") + 1)  # what is foretold ...
KNOWN = RHYTHM.index("rr known")
REGULARITY = slice(RHYTHM.index("rr after known"), KNOWN + 1)  # ... from this
N_TIMING = TIMING.stop - TIMING.start
PARTS = ((0, 24), (24, 44), (44, WINDOW.stop - WINDOW.start))  # of the window: before, in and behind the QRS complex
_FREEDOM = 3.0  # degrees of Student's t: in timing, what is rare is not impossible
_LEAST = 1e-3  # of an error


@dataclass(frozen=True)
class AutoencoderConfig:
    code: int = 4  # numbers that a shape passes through
    channels: tuple[int, ...] = (16, 32, 32)
    kernel: int = 7
    width: int = 256
    adaptive: bool = False


def build(config: AutoencoderConfig = AutoencoderConfig(), *, step: bool = False) -> keras.Model:
    """For training: (batch, n, 64 + 5 + 5), the shape rebuilt, the timing foretold and the logarithm of its spread;
    with `step` the anomaly, for the stream."""
    inputs = series_inputs()
    if not step:
        return keras.Model(inputs, layers.Concatenate()(_rebuilt(inputs, config)), name="autoencoder")
    _, errors = _unexplained(inputs, config)
    label = layers.Dense(1, activation="sigmoid", name="label")(errors)
    return keras.Model(inputs, label, name="autoencoder_step")


def unexplained(config: AutoencoderConfig) -> keras.Model:
    """What it could not explain of each beat, to build on: (batch, n, 64) the residual of the shape, and (batch, n, 11)
    logarithms of the errors."""
    inputs = series_inputs()
    return keras.Model(inputs, _unexplained(inputs, config), name="unexplained", trainable=False)


def _rebuilt(inputs: list[keras.KerasTensor], config: AutoencoderConfig) -> list[keras.KerasTensor]:
    """(batch, n, 64) the shape as a normal beat's; (batch, n, 5) the timing, and the logarithm of its spread."""
    shape, usual, rhythm = inputs
    window = shape[:, :, WINDOW]
    code = layers.Dense(config.code, name="code")(encode([window], config.channels, config.kernel))
    if config.adaptive:
        own = encode([usual[:, :, WINDOW]], config.channels, config.kernel, "own")
        code = layers.Concatenate()([code, layers.Dense(config.width // 4, name="own")(own)])
    x = layers.Dense(config.width, activation="relu", name="decode")(code)
    x = layers.Dense(window.shape[-1], name="rebuilt")(x)
    if config.adaptive:
        x = layers.Add()([x, usual[:, :, WINDOW]])
    regular = layers.Dense(32, activation="relu", name="regular0")(rhythm[:, :, REGULARITY])
    regular = layers.Dense(32, activation="relu", name="regular1")(regular)
    foretold, spread = (layers.Dense(N_TIMING, name=name)(regular) for name in ("foretold", "spread"))
    return [x, foretold, ops.clip(spread, -4.0, 2.0)]


def _unexplained(inputs: list[keras.KerasTensor], config: AutoencoderConfig) -> list[keras.KerasTensor]:
    """The residual, and the logarithms of the errors: three parts of the shape, its size, the timing, early, late."""
    shape, _, rhythm = inputs
    rebuilt, foretold, spread = _rebuilt(inputs, config)
    window = shape[:, :, WINDOW]
    residual = window - rebuilt
    known = rhythm[:, :, KNOWN : KNOWN + 1] > 0
    far = (rhythm[:, :, TIMING] - foretold) / ops.exp(spread) * ops.cast(known, "float32")
    rr = far[:, :, :3]
    parts = [residual[:, :, a:b] for a, b in PARTS] + [window[:, :, slice(*PARTS[1])]]
    sizes = [ops.log(ops.mean(ops.square(x), axis=2, keepdims=True) + _LEAST) for x in parts]
    early, late = (ops.mean(ops.log(1 + ops.relu(x)), axis=2, keepdims=True) for x in (-rr, rr))
    return [residual, ops.concatenate([*sizes, ops.log(1 + ops.square(far)), early, late], axis=2)]


@keras.saving.register_keras_serializable("ectopy")
def loss(truth: keras.KerasTensor, said: keras.KerasTensor) -> keras.KerasTensor:
    """Of (batch, n, 64 + 5) and (batch, n, 64 + 5 + 5): squared error of the shape, likelihood of the timing."""
    n = truth.shape[-1] - N_TIMING
    shape = ops.mean(ops.square(truth[..., :n] - said[..., :n]), axis=-1)
    spread = said[..., n + N_TIMING :]
    far = (truth[..., n:] - said[..., n : n + N_TIMING]) / ops.exp(spread)
    unlikely = (_FREEDOM + 1) / 2 * ops.log(1 + ops.square(far) / _FREEDOM) + spread
    return 4 * shape + 0.3 * ops.mean(unlikely, axis=-1)

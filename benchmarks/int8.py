"""Would `instant` be faster with its convolutions in int8? It as it is beside static int8 (QDQ), a second at a time.

The scales come from the first training record of mitdb that isn't measured. Time is taken of both in turns, so that
what else the machine does strikes both.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from _common import alone, heading, row, run
from ectopy import zoo
from ectopy.data import read
from ectopy.signal import RATE, condition
from ectopy.zoo import TrainedModel

SCALES, MEASURED = "mitdb/101", "mitdb/106"  # both trained it: this is about speed and arithmetic, not skill
SECONDS = 600


class Seconds(CalibrationDataReader):
    """What the model is given for each second of a stream."""

    def __init__(self, model: TrainedModel, blocks: list[NDArray[np.float32]]):
        self._inputs = inputs(model, blocks)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self._inputs, None)


def blocks_of(record: str) -> list[NDArray[np.float32]]:
    recording = read(record)
    signal = condition(recording.section(0, SECONDS).samples[:, :1], recording.fs).signal
    return np.split(signal, range(RATE, signal.shape[1], RATE), axis=1)


def inputs(model: TrainedModel, blocks: list[NDArray[np.float32]]) -> Iterator[dict[str, NDArray[np.float32]]]:
    names = [put.name for put in onnx.load_model_from_string(model.content).graph.input]
    state = model.start(1)
    for block in blocks:
        yield dict(zip(names, (block, *state), strict=True))
        _, state = model.run(state, block)


def quantised(model: TrainedModel, per_channel: bool) -> TrainedModel:
    with TemporaryDirectory() as name:
        plain, ready, small = (Path(name) / f"{what}.onnx" for what in ("plain", "ready", "small"))
        plain.write_bytes(model.content)
        quant_pre_process(plain, ready, skip_symbolic_shape=True)
        quantize_static(
            ready,
            small,
            Seconds(model, blocks_of(SCALES)),
            op_types_to_quantize=["Conv"],
            per_channel=per_channel,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return TrainedModel(model.card, small.read_bytes())


def compare(per_channel: bool) -> tuple[float, float, float, float, float]:
    """Microseconds a second of signal, of both; the largest and the mean change of a probability; share of the size."""
    plain = zoo.load("instant")
    small = quantised(plain, per_channel)
    times: dict[int, list[float]] = {0: [], 1: []}
    said: dict[int, list[NDArray[np.float32]]] = {0: [], 1: []}
    states = [plain.start(1), plain.start(1)]
    for block in blocks_of(MEASURED):
        for which, model in enumerate((plain, small)):
            begin = perf_counter()
            scores, states[which] = model.run(states[which], block)
            times[which].append(perf_counter() - begin)
            said[which].append(scores)
    change = np.abs(np.concatenate(said[0], axis=1) - np.concatenate(said[1], axis=1))
    micro = [1e6 * float(np.median(times[which])) for which in (0, 1)]
    return *micro, float(change.max()), float(change.mean()), len(small.content) / len(plain.content)


def benchmark() -> None:
    heading("`instant` in int8, a second of one lead at a time, one thread", "onnxruntime")
    row("", "float32", "int8", "better by", "largest dP", "mean dP", "size")
    for per_channel in (False, True):
        plain, small, largest, mean, size = alone(compare, per_channel)
        cells = (
            f"{plain:.0f} us",
            f"{small:.0f} us",
            f"{plain / small:.2f} x",
            f"{largest:.3f}",
            f"{mean:.4f}",
            f"{100 * size:.0f} %",
        )
        row("a scale a channel" if per_channel else "a scale a tensor", *cells)


if __name__ == "__main__":
    run(benchmark)

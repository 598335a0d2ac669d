"""A trained Keras model to the ONNX file that ships: the stepped form, with its states as inputs and outputs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import keras
import numpy as np
import onnx
import tensorflow as tf
from numpy.typing import NDArray

_OPSET = 17


def to_onnx(model: keras.Model, step: keras.Model, label: Sequence[NDArray[np.float32]] | None = None) -> bytes:
    """`step` with the weights of `model`: inputs as it names them, `state_…` last; outputs `label`, `after_…`.

    label : weights of the last layer, instead of the model's
    """
    copy_weights(model, step)
    if label is not None:
        step.get_layer("label").set_weights(label)
    names = [tensor.name for tensor in step.inputs]
    states = [name for name in names if name.startswith("state_")]
    images = [n for n, tensor in enumerate(step.inputs[len(names) - len(states) :]) if len(tensor.shape) == 4]
    signature = [
        tf.TensorSpec([None if size is None else size for size in tensor.shape], tf.float32, name=tensor.name)
        for tensor in step.inputs
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tf2onnx

        graph, _ = tf2onnx.convert.from_function(
            tf.function(lambda *inputs: step(list(inputs), training=False), input_signature=signature),
            input_signature=signature,
            opset=_OPSET,
            # as ONNX Runtime wants its convolutions: no transposing in each call
            inputs_as_nchw=[states[n] for n in images],
            outputs_as_nchw=[f"Identity_{n + 1}:0" for n in images],
        )
    _rename(graph, names, ["label", *(name.replace("state", "after") for name in states)])
    onnx.checker.check_model(graph, full_check=True)
    return graph.SerializeToString()


def rebuilding(content: bytes) -> bytes:
    """The part of an autoencoder's ONNX file that rebuilds a beat: `residual` out, what of the beat it could not."""
    model = onnx.shape_inference.infer_shapes(onnx.load_model_from_string(content))
    views = {node.output[0] for node in model.graph.node if node.op_type == "Slice" and node.input[0] == "shape"}
    residual = next(node for node in model.graph.node if node.op_type == "Sub" and node.input[0] in views)
    inputs = [put.name for put in model.graph.input if put.name != "rhythm"]  # it foretells the timing only
    part = onnx.utils.Extractor(model).extract_model(inputs, [*residual.output])
    for node in part.graph.node:
        node.output[:] = ["residual" if name in residual.output else name for name in node.output]
    part.graph.output[0].name = "residual"
    del part.graph.value_info[:]
    onnx.checker.check_model(part, full_check=True)
    return part.SerializeToString()


def copy_weights(model: keras.Model, other: keras.Model) -> None:
    """Those of `model`'s layers to the layers of the same names."""
    for layer in model.layers:
        if layer.weights:
            other.get_layer(layer.name).set_weights(layer.get_weights())


def _rename(graph: onnx.ModelProto, inputs: list[str], outputs: list[str]) -> None:
    """Names that say something at both ends, and between them ones that are the same in every export."""
    new = {"": ""}
    new |= {old.name: name for old, name in zip(graph.graph.input, inputs, strict=True)}
    new |= {old.name: name for old, name in zip(graph.graph.output, outputs, strict=True)}
    for number, node in enumerate(graph.graph.node):
        node.name = f"{node.op_type}{number}"
        node.input[:] = [new.setdefault(name, f"x{len(new)}") for name in node.input]
        node.output[:] = [new.setdefault(name, f"x{len(new)}") for name in node.output]
    for weight in graph.graph.initializer:
        weight.name = new[weight.name]
    graph.graph.initializer.sort(key=lambda weight: int(weight.name[1:]))
    del graph.graph.value_info[:]
    graph.graph.doc_string = ""
    for value in [*graph.graph.input, *graph.graph.output]:
        value.name = new[value.name]
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_param = "any"
        value.type.tensor_type.shape.dim[0].dim_param = "leads"
    along = ("samples", "frames") if inputs[0] == "signal" else ("beats", "beats")
    for value, name in zip((graph.graph.input[0], graph.graph.output[0]), along, strict=True):
        value.type.tensor_type.shape.dim[1].dim_param = name

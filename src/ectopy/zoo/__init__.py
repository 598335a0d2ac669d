"""Trained models: ONNX files with their cards, written by `ectopy train`."""

from ectopy.zoo.trained import State, TrainedModel, installed, load

__all__ = ["State", "TrainedModel", "installed", "load"]

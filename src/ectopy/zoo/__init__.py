"""Trained models: ONNX files with their cards, written by `ectopy train`."""

from ectopy.zoo.trained import BALANCED, State, TrainedModel, installed, load

__all__ = ["BALANCED", "State", "TrainedModel", "installed", "load"]

"""Training: windows, recipes, fit, the operating point, export. Needs the `train` extra."""

from ectopy.training.instant import Settings
from ectopy.training.run import train_model
from ectopy.training.sequence import SequenceSettings

__all__ = ["SequenceSettings", "Settings", "train_model"]

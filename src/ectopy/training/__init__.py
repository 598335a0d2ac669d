"""Training: windows, recipes, fit, the operating point, export. Needs the `train` extra."""

from ectopy.training.instant import Settings
from ectopy.training.run import train_model

__all__ = ["Settings", "train_model"]

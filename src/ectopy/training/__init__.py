"""Training: windows, recipes, fit, the operating point, export. Needs the `train` extra."""

from ectopy.training.ablate import ablate
from ectopy.training.instant import Settings
from ectopy.training.recipes import RECIPES, SeriesSettings
from ectopy.training.run import train_model
from ectopy.training.tune import tune

__all__ = ["RECIPES", "SeriesSettings", "Settings", "ablate", "train_model", "tune"]

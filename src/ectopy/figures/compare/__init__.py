"""Drawings of the comparison. Each takes an Axes and numbers; Seaborn is imported where it draws."""

from ectopy.figures.compare.curves import Line, alarm_curves, precision_recall, reliability, roc, trade_curve
from ectopy.figures.compare.gallery import Mistake, gallery
from ectopy.figures.compare.matrices import beat_matrix, error_map
from ectopy.figures.compare.style import entrant_colours
from ectopy.figures.compare.values import cost_points, differences, forest, record_bars
from ectopy.figures.eda import set_lines

__all__ = [
    "Line",
    "Mistake",
    "alarm_curves",
    "beat_matrix",
    "cost_points",
    "differences",
    "entrant_colours",
    "error_map",
    "forest",
    "gallery",
    "precision_recall",
    "record_bars",
    "reliability",
    "roc",
    "set_lines",
    "trade_curve",
]

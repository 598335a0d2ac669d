"""Drawings of the exploratory report. Each takes an Axes and a table; Seaborn is imported where it draws."""

from ectopy.figures.eda.classes import class_bars, count_map, weight_bars
from ectopy.figures.eda.distributions import boxes, correlations, cumulative, densities, ranges, states
from ectopy.figures.eda.embedding import by_class, by_patient, score_bars
from ectopy.figures.eda.sets import patient_parts, rate_bars
from ectopy.figures.eda.shapes import Strip, beat_shape, strip_pairs
from ectopy.figures.eda.style import PALETTE, set_colours, set_lines, tidy

__all__ = [
    "PALETTE",
    "Strip",
    "beat_shape",
    "boxes",
    "by_class",
    "by_patient",
    "class_bars",
    "correlations",
    "count_map",
    "cumulative",
    "densities",
    "patient_parts",
    "ranges",
    "rate_bars",
    "score_bars",
    "set_colours",
    "set_lines",
    "states",
    "strip_pairs",
    "tidy",
    "weight_bars",
]

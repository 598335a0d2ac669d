"""Drawings: ECG paper, and an analysis at a glance. Matplotlib is imported only where something is drawn."""

from ectopy.figures.disclosure import LINE_S, full_disclosure
from ectopy.figures.html import analysis_html, recording_html
from ectopy.figures.overview import analysis_overview
from ectopy.figures.strips import labelled_strip, recording_strip, strip, strip_figure, worst, worst_intervals
from ectopy.figures.terminal import braille
from ectopy.figures.trend import rate_trend
from ectopy.figures.words import (
    CLASS_COLOURS,
    CLASS_NAMES,
    DISCLAIMER,
    VERDICT_COLOURS,
    clock,
    facts,
    headline,
)

__all__ = [
    "CLASS_COLOURS",
    "CLASS_NAMES",
    "DISCLAIMER",
    "LINE_S",
    "VERDICT_COLOURS",
    "analysis_html",
    "analysis_overview",
    "braille",
    "clock",
    "facts",
    "full_disclosure",
    "headline",
    "labelled_strip",
    "rate_trend",
    "recording_html",
    "recording_strip",
    "strip",
    "strip_figure",
    "worst",
    "worst_intervals",
]

"""How good is it? Beats, 5-second intervals and patients, by one code for every model.

`evaluate_record` compares what a program said of one record with its reference annotations, `summarize`
sums records up with 95 % intervals by bootstrap over patients, `compare` sets two models against each other,
`stress` adds noise.
Counts come first and ratios last. The conventions stand at the top of `beats`, `intervals`, `scope`, `gross`.
"""

from ectopy.evaluation.beats import BeatScores, Binary
from ectopy.evaluation.benchmark import ByStart, Leads, benchmark, columns
from ectopy.evaluation.gross import count_figures, record_table
from ectopy.evaluation.intervals import IntervalScores
from ectopy.evaluation.looks import TEST_SPLITS, checkout, record_look
from ectopy.evaluation.matching import Matches, match_beats
from ectopy.evaluation.ranking import auroc, average_precision
from ectopy.evaluation.record import RecordScores, evaluate_record
from ectopy.evaluation.scope import flutter_stretches
from ectopy.evaluation.stress import (
    LEVELS_DB,
    Stressed,
    hand_held_figures,
    stress,
    stress_report,
    stress_table,
)
from ectopy.evaluation.summary import Scores, compare, summarize
from ectopy.evaluation.tables import figure_rows, markdown

__all__ = [
    "LEVELS_DB",
    "TEST_SPLITS",
    "BeatScores",
    "Binary",
    "ByStart",
    "IntervalScores",
    "Leads",
    "Matches",
    "RecordScores",
    "Scores",
    "Stressed",
    "auroc",
    "average_precision",
    "benchmark",
    "checkout",
    "columns",
    "compare",
    "count_figures",
    "evaluate_record",
    "figure_rows",
    "flutter_stretches",
    "hand_held_figures",
    "markdown",
    "match_beats",
    "record_look",
    "record_table",
    "stress",
    "stress_report",
    "stress_table",
    "summarize",
]

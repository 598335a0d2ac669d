"""How good is it? Beats, 5-second intervals and patients, by one code for every model.

`evaluate_record` compares what a program said of one record with its reference annotations, `summarize`
sums records up with 95 % intervals by bootstrap over patients, `compare` sets two models against each other,
`compete` lets models, baselines and peers judge the same records, `stress` adds noise, `evaluate_findings` looks at
findings and alarms.
Counts come first and ratios last. The conventions stand at the top of `beats`, `intervals`, `scope`, `gross`.
"""

from ectopy.evaluation import features
from ectopy.evaluation.beats import BeatScores, Binary
from ectopy.evaluation.benchmark import ByStart, Leads, benchmark, columns, each_record
from ectopy.evaluation.boosting import Boosted, beat_features
from ectopy.evaluation.bootstrap import draw_patients, interval_95
from ectopy.evaluation.comparison import Comparison, Judged, compete, records_of
from ectopy.evaluation.cost import WITHIN_US, Cost, parameters, stream_cost
from ectopy.evaluation.curves import Curve, calibration, calibration_error, curve
from ectopy.evaluation.entrants import Entrant, model_entrants, other_entrants
from ectopy.evaluation.findings import (
    FindingsScores,
    evaluate_findings,
    findings_report,
    made_delays,
    made_sources,
)
from ectopy.evaluation.gross import count_figures, record_table
from ectopy.evaluation.intervals import IntervalScores
from ectopy.evaluation.looks import TEST_SPLITS, checkout, commit, record_look
from ectopy.evaluation.matching import Matches, match_beats
from ectopy.evaluation.ranking import auroc, average_precision
from ectopy.evaluation.record import RecordScores, evaluate_record
from ectopy.evaluation.rhythms import Rhythm, rhythms
from ectopy.evaluation.rules import gqrs_beats, sleepecg_beats
from ectopy.evaluation.scope import flutter_stretches
from ectopy.evaluation.stress import (
    LEVELS_DB,
    Stressed,
    against_clean,
    hand_held_figures,
    in_noise,
    score_in_noise,
    stress,
    stress_report,
    stress_table,
    wrong_counts,
)
from ectopy.evaluation.summary import Scores, compare, summarize
from ectopy.evaluation.tables import figure_rows, markdown
from ectopy.evaluation.trade import called, trade

__all__ = [
    "LEVELS_DB",
    "TEST_SPLITS",
    "WITHIN_US",
    "BeatScores",
    "Binary",
    "Boosted",
    "ByStart",
    "Comparison",
    "Cost",
    "Curve",
    "Entrant",
    "FindingsScores",
    "IntervalScores",
    "Judged",
    "Leads",
    "Matches",
    "RecordScores",
    "Rhythm",
    "Scores",
    "Stressed",
    "against_clean",
    "auroc",
    "average_precision",
    "beat_features",
    "benchmark",
    "calibration",
    "calibration_error",
    "called",
    "checkout",
    "columns",
    "commit",
    "compare",
    "compete",
    "count_figures",
    "curve",
    "draw_patients",
    "each_record",
    "evaluate_findings",
    "evaluate_record",
    "features",
    "figure_rows",
    "findings_report",
    "flutter_stretches",
    "gqrs_beats",
    "hand_held_figures",
    "in_noise",
    "interval_95",
    "made_delays",
    "made_sources",
    "markdown",
    "match_beats",
    "model_entrants",
    "other_entrants",
    "parameters",
    "record_look",
    "record_table",
    "records_of",
    "rhythms",
    "score_in_noise",
    "sleepecg_beats",
    "stream_cost",
    "stress",
    "stress_report",
    "stress_table",
    "summarize",
    "trade",
    "wrong_counts",
]

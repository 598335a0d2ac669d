"""The one signal path: mask, condition, quality, beats, findings. Training, analysis and stream call the same steps."""

from ectopy.signal.beats import FAINT, REACH, BeatFinder, BeatState, Thresholds, aami_class
from ectopy.signal.condition import BATCH, Condition, Conditioned, ConditionState, condition
from ectopy.signal.context import BEFORE, RHYTHM, Context, ContextState, Series
from ectopy.signal.difference import difference
from ectopy.signal.doubt import Doubt, DoubtState, seen
from ectopy.signal.filters import settling
from ectopy.signal.findings import asystole, no_organised_rhythm
from ectopy.signal.grid import FRAMES, LABEL_STEP, LAG, RATE, block_start, check_rate
from ectopy.signal.quality import FEATURES, READABLE, TERMS

__all__ = [
    "BATCH",
    "BEFORE",
    "FAINT",
    "FEATURES",
    "FRAMES",
    "LABEL_STEP",
    "LAG",
    "RATE",
    "REACH",
    "READABLE",
    "RHYTHM",
    "TERMS",
    "BeatFinder",
    "BeatState",
    "Condition",
    "ConditionState",
    "Conditioned",
    "Context",
    "ContextState",
    "Doubt",
    "DoubtState",
    "Series",
    "Thresholds",
    "aami_class",
    "asystole",
    "block_start",
    "check_rate",
    "condition",
    "difference",
    "no_organised_rhythm",
    "seen",
    "settling",
]

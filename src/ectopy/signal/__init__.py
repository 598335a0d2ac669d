"""The one signal path: mask, condition, quality, beats, findings. Training, analysis and stream call the same steps."""

from ectopy.signal.beats import REACH, BeatFinder, BeatState, Thresholds
from ectopy.signal.condition import BATCH, Condition, Conditioned, ConditionState, condition
from ectopy.signal.doubt import Doubt, DoubtState, lowered
from ectopy.signal.filters import settling
from ectopy.signal.findings import asystole, no_organised_rhythm
from ectopy.signal.grid import FRAMES, LABEL_STEP, LAG, RATE, block_start, check_rate
from ectopy.signal.quality import FEATURES, READABLE, TERMS

__all__ = [
    "BATCH",
    "FEATURES",
    "FRAMES",
    "LABEL_STEP",
    "LAG",
    "RATE",
    "REACH",
    "READABLE",
    "TERMS",
    "BeatFinder",
    "BeatState",
    "Condition",
    "ConditionState",
    "Conditioned",
    "Doubt",
    "DoubtState",
    "Thresholds",
    "asystole",
    "block_start",
    "check_rate",
    "condition",
    "lowered",
    "no_organised_rhythm",
    "settling",
]

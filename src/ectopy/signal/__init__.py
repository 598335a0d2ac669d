"""The one signal path: mask, condition, quality, beats, findings. Training, analysis and stream call the same steps.

A step puts a new state in the place of the old one and changes none, nor what another step gave it. Dataclasses that
every stream makes each second aren't frozen all the same: that would be 2 % of its time.
"""

from ectopy.signal.beats import FAINT, REACH, BeatFinder, BeatState, Thresholds, aami_class
from ectopy.signal.condition import BATCH, Condition, Conditioned, ConditionState, condition, condition_together
from ectopy.signal.context import BEFORE, RHYTHM, WINDOW, Context, ContextState, Series
from ectopy.signal.difference import difference
from ectopy.signal.doubt import Doubt, DoubtState
from ectopy.signal.filters import settling
from ectopy.signal.findings import (
    IRREGULARITY,
    IRREGULARITY_EVERY_S,
    IRREGULARITY_WINDOW_S,
    Findings,
    FindingsState,
    Irregular,
    irregularity,
)
from ectopy.signal.grid import FRAMES, LABEL_STEP, LAG, RATE, block_start, check_rate, over_leads
from ectopy.signal.p_waves import PWaves, PWavesState
from ectopy.signal.quality import FEATURES, READABLE, TERMS
from ectopy.signal.seconds import DELAY_S, Known, Second, Seconds, SecondsState
from ectopy.signal.together import joined, parted

__all__ = [
    "BATCH",
    "BEFORE",
    "DELAY_S",
    "FAINT",
    "FEATURES",
    "FRAMES",
    "IRREGULARITY",
    "IRREGULARITY_EVERY_S",
    "IRREGULARITY_WINDOW_S",
    "LABEL_STEP",
    "LAG",
    "RATE",
    "REACH",
    "READABLE",
    "RHYTHM",
    "TERMS",
    "WINDOW",
    "BeatFinder",
    "BeatState",
    "Condition",
    "ConditionState",
    "Conditioned",
    "Context",
    "ContextState",
    "Doubt",
    "DoubtState",
    "Findings",
    "FindingsState",
    "Irregular",
    "Known",
    "PWaves",
    "PWavesState",
    "Second",
    "Seconds",
    "SecondsState",
    "Series",
    "Thresholds",
    "aami_class",
    "block_start",
    "check_rate",
    "condition",
    "condition_together",
    "difference",
    "irregularity",
    "joined",
    "over_leads",
    "parted",
    "settling",
]

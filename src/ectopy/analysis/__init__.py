"""From samples to verdicts: `analyze` for a recording, `StreamAnalyzer` for a live signal."""

from ectopy.analysis.blocks import ModelInput
from ectopy.analysis.offline import analyze, check_recording
from ectopy.analysis.rebuilt import AFTER_S, LEARNED_S, Rebuilt, rebuilt
from ectopy.analysis.result import Analysis
from ectopy.analysis.stream import StreamAnalyzer
from ectopy.analysis.together import push_together

__all__ = [
    "AFTER_S",
    "LEARNED_S",
    "Analysis",
    "ModelInput",
    "Rebuilt",
    "StreamAnalyzer",
    "analyze",
    "check_recording",
    "push_together",
    "rebuilt",
]

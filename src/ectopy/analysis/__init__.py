"""From samples to verdicts: `analyze` for a recording, `StreamAnalyzer` for a live signal."""

from ectopy.analysis.offline import analyze, check_recording
from ectopy.analysis.result import Analysis
from ectopy.analysis.stream import ModelInput, StreamAnalyzer

__all__ = ["Analysis", "ModelInput", "StreamAnalyzer", "analyze", "check_recording"]

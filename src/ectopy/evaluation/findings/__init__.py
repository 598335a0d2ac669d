"""Are findings right, in time, and few? Episodes, delays and alarms, against annotations of rhythm."""

from ectopy.evaluation.findings.made import made_sources
from ectopy.evaluation.findings.report import findings_report
from ectopy.evaluation.findings.run import FindingsScores, evaluate_findings, made_delays

__all__ = ["FindingsScores", "evaluate_findings", "findings_report", "made_delays", "made_sources"]

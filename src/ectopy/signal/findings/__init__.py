"""What rules over beats and seconds say, second by second."""

from ectopy.signal.findings.irregular import EVERY_S as IRREGULARITY_EVERY_S
from ectopy.signal.findings.irregular import FEATURES as IRREGULARITY
from ectopy.signal.findings.irregular import WINDOW_S as IRREGULARITY_WINDOW_S
from ectopy.signal.findings.irregular import Irregular, irregularity
from ectopy.signal.findings.step import Findings, FindingsState

__all__ = [
    "IRREGULARITY",
    "IRREGULARITY_EVERY_S",
    "IRREGULARITY_WINDOW_S",
    "Findings",
    "FindingsState",
    "Irregular",
    "irregularity",
]

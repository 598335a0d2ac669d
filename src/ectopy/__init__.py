"""Ectopy: real-time ECG anomaly detection. Research software, not a medical device."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ectopy.analysis import StreamAnalyzer, analyze
    from ectopy.data import read
    from ectopy.errors import EctopyError
    from ectopy.recording import Annotations, Recording
    from ectopy.verdict import Verdict

__all__ = ["Annotations", "EctopyError", "Recording", "StreamAnalyzer", "Verdict", "analyze", "read"]

_HOME = {
    "Annotations": "ectopy.recording",
    "EctopyError": "ectopy.errors",
    "Recording": "ectopy.recording",
    "StreamAnalyzer": "ectopy.analysis",
    "Verdict": "ectopy.verdict",
    "analyze": "ectopy.analysis",
    "read": "ectopy.data",
}


def __getattr__(name: str) -> object:
    """Import on first use, so that `import ectopy` and `ectopy --help` stay quick."""
    if name == "__version__":
        from importlib.metadata import version

        return version("ectopy")
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__, "__version__"])

"""`Analysis`: what `analyze` says of a whole recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ectopy.recording import AAMI_CLASSES, Recording
from ectopy.verdict import Beat, Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BEAT_COLUMNS = [field.name for field in fields(Beat)]
_INTERVAL_COLUMNS = [f.name for f in fields(Verdict) if f.name not in ("beats", "findings", "model")]


@dataclass(frozen=True, eq=False)
class Analysis:
    """A recording and its verdicts.

    recording : what was analysed
    verdicts : one for each interval, in order
    model : name and version of the model that judged
    notes : what a reader must know beside the verdicts, as `not calibrated` or a bad lead's name
    """

    recording: Recording
    verdicts: Sequence[Verdict]
    model: str
    notes: tuple[str, ...] = ()

    @property
    def intervals(self) -> pd.DataFrame:
        """A row an interval: start_s, end_s, verdict, score, heart_rate, quality, n_beats, n_abnormal, reason."""
        rows = [[getattr(v, name) for name in _INTERVAL_COLUMNS] for v in self.verdicts]
        table = pd.DataFrame(rows, columns=_INTERVAL_COLUMNS)
        return table.astype({"score": float, "heart_rate": float})

    @property
    def beats(self) -> pd.DataFrame:
        """A row a beat: sample, time_s, aami, N, S, V, F, Q, rr_s, anomaly."""
        beats = [beat for verdict in self.verdicts for beat in verdict.beats]
        return pd.DataFrame({name: [getattr(b, name) for b in beats] for name in _BEAT_COLUMNS})

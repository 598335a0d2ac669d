"""`Analysis`: what `analyze` says of a whole recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from statistics import median
from typing import TYPE_CHECKING

from ectopy.recording import AAMI_CLASSES, AamiClass, Recording
from ectopy.verdict import Beat, Finding, Verdict, Word

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_BEAT_COLUMNS = [field.name for field in fields(Beat)]
_INTERVAL_COLUMNS = [f.name for f in fields(Verdict) if f.name not in ("beats", "findings", "model")]


@dataclass(frozen=True)
class Summary:
    """An analysis in a few numbers.

    duration_s : length of the recording
    verdicts : intervals of each verdict
    beats : beats of each AAMI class; None counts those of a model without classes
    heart_rate : median of the intervals' heart rates, beats a minute; None if no interval has one
    unreadable_share : share of the intervals that are unreadable, in [0, 1]
    notes : what a reader must know beside the numbers
    """

    duration_s: float
    verdicts: dict[Word, int]
    beats: dict[AamiClass | None, int]
    heart_rate: float | None
    unreadable_share: float
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Analysis:
    """A recording and its verdicts.

    recording : what was analysed
    verdicts : one for each interval, in order
    model : name and version of the model that judged
    notes : what a reader must know beside the verdicts, as `not calibrated`
    findings : when they began and when they ended, in the order told, as a stream tells them
    """

    recording: Recording
    verdicts: Sequence[Verdict]
    model: str
    notes: tuple[str, ...] = ()
    findings: Sequence[Finding] = ()

    @property
    def intervals(self) -> pd.DataFrame:
        """A row an interval: start_s, end_s, verdict, score, heart_rate, quality, n_beats, n_abnormal, reason."""
        import pandas as pd  # here: it takes a second to import, and a stream needs none of it

        rows = [[getattr(v, name) for name in _INTERVAL_COLUMNS] for v in self.verdicts]
        table = pd.DataFrame(rows, columns=_INTERVAL_COLUMNS)
        return table.astype({"score": float, "heart_rate": float})

    @property
    def beats(self) -> pd.DataFrame:
        """A row a beat: sample, time_s, aami, N, S, V, F, Q, rr_s, anomaly, differs."""
        import pandas as pd

        beats = self._beats()
        table = pd.DataFrame({name: [getattr(b, name) for b in beats] for name in _BEAT_COLUMNS})
        # of no beats pandas makes columns of floats: tables would not go together, nor `sample` be an index
        return table if beats else table.astype({"sample": "int64", "aami": str, "differs": object})

    @property
    def summary(self) -> Summary:
        """Counts of verdicts and beats, the median heart rate, the share that is unreadable."""
        words = Counter(v.verdict for v in self.verdicts)
        classes = Counter(beat.aami for beat in self._beats())
        rates = [v.heart_rate for v in self.verdicts if v.heart_rate is not None]
        return Summary(
            duration_s=self.recording.duration_s,
            verdicts={word: words[word] for word in ("normal", "abnormal", "unreadable")},
            beats={aami: classes[aami] for aami in (*AAMI_CLASSES, None) if classes[aami]},
            heart_rate=median(rates) if rates else None,
            unreadable_share=words["unreadable"] / len(self.verdicts) if self.verdicts else 0.0,
            notes=self.notes,
        )

    def plot(self) -> Figure:
        """Draw verdicts, heart rate and score over time."""
        from ectopy.figures import analysis_overview

        return analysis_overview(self)

    def _beats(self) -> list[Beat]:
        # Intervals overlap where the hop is smaller than they are long: a beat in two of them is one beat.
        return list({beat.sample: beat for verdict in self.verdicts for beat in verdict.beats}.values())

    def _repr_html_(self) -> str:
        from ectopy.figures import analysis_html

        return analysis_html(self)

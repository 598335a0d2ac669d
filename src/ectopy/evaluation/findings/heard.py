"""What a stream tells of a recording that comes in second by second, and when it does."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil

from ectopy.analysis import Analysis, StreamAnalyzer
from ectopy.evaluation.findings.spans import Span
from ectopy.recording import Recording
from ectopy.verdict import Finding


@dataclass(frozen=True)
class ToldFinding:
    """A finding from its beginning to its end.

    at_s : seconds of signal that had been pushed when it was first told
    """

    name: str
    start_s: float
    end_s: float
    value: float | None
    at_s: float

    @property
    def span(self) -> Span:
        return self.start_s, self.end_s


@dataclass(frozen=True, eq=False)
class Heard:
    """All that a stream told.

    findings : beginnings and ends, in the order told
    told : the same, each whole
    disagree : findings whose `told_s` is not the second that was pushed when `found` gave them
    """

    analysis: Analysis
    findings: list[Finding]
    told: list[ToldFinding]
    disagree: int

    def spans(self, *names: str) -> list[Span]:
        """Those of these names."""
        return [one.span for one in self.told if one.name in names]


def listen(recording: Recording, model: str) -> Heard:
    """Push a recording's first lead to a new stream, a second at a time."""
    recording = recording.select(recording.leads[:1])
    stream = StreamAnalyzer(recording.fs, recording.leads, model=model)
    n, verdicts, findings, disagree = len(recording.samples), [], [], 0
    begun: dict[tuple[str, float, float | None], float] = {}
    told = []
    bounds = [min(ceil(second * recording.fs), n) for second in range(ceil(n / recording.fs) + 1)]

    def tell(at_s: float) -> list[Finding]:
        found = stream.found()
        for finding in found:
            key = finding.name, finding.start_s, finding.value
            begun.setdefault(key, at_s)
            if finding.end_s is not None:
                told.append(ToldFinding(finding.name, finding.start_s, finding.end_s, finding.value, begun.pop(key)))
        findings.extend(found)
        return found

    for second, (begin, end) in enumerate(pairwise(bounds), start=1):
        verdicts += stream.push(recording.samples[begin:end])
        disagree += sum(finding.told_s != second for finding in tell(float(end / recording.fs)))
    verdicts += stream.finish()
    tell(recording.duration_s)
    told.sort(key=lambda one: (one.start_s, one.name))
    return Heard(Analysis(recording, verdicts, stream.model.name), findings, told, disagree)

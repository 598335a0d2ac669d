"""One annotated record: what its stream told, against the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ectopy.alarms import RULES, episodes
from ectopy.data import patient, read
from ectopy.evaluation.benchmark import ByStart, scored
from ectopy.evaluation.findings.heard import Heard, ToldFinding, listen
from ectopy.evaluation.findings.reference import RATE_S, WITHIN_S, Reference, reference_episodes
from ectopy.evaluation.findings.spans import Match, Span, match, touches
from ectopy.verdict import Finding
from ectopy.zoo import load

RUNS, FAST_RUNS = "ventricular runs, 3 or more", "ventricular runs, 5 or more at 100/min"
AF, AF_OR_AFL = "atrial fibrillation, flutter left out", "atrial fibrillation or flutter"
FLUTTER, FLUTTER_SEEN = "ventricular flutter: no organised rhythm", "ventricular flutter: that, or a run"
BIGEMINY, TRIGEMINY = "bigeminy", "trigeminy"
KINDS = (RUNS, FAST_RUNS, AF, AF_OR_AFL, FLUTTER, FLUTTER_SEEN, BIGEMINY, TRIGEMINY)

_HIGH = {rule.code for rule in RULES if rule.type == "physiological" and rule.priority == "high"}
_DEADLY = "no organised rhythm", "ventricular run"


@dataclass(frozen=True)
class Delay:
    """How long the stream took to tell one episode.

    what : the kind of episode
    source : the record it comes from
    onset_s : its first beat, or second, in the signal pushed
    seconds : from there until so much had been pushed that it was told; None where it never was
    """

    what: str
    source: str
    onset_s: float
    seconds: float | None


@dataclass(frozen=True)
class HighAlarm:
    """An alarm of high priority, and whether the reference has what it says."""

    code: str
    start_s: float
    true: bool


@dataclass(frozen=True, eq=False)
class JudgedRecord:
    """What became of one record; matches by `KINDS`.

    disagree : see `Heard`
    by_start : its beats and verdicts, scored as `ectopy evaluate` does
    """

    record: str
    patient: str
    hours: float
    matches: dict[str, Match]
    delays: list[Delay]
    alarms: list[HighAlarm]
    n_findings: int
    disagree: int
    by_start: ByStart


def judge_record(name: str, model: str, data_dir: Path | None = None) -> JudgedRecord:
    """Listen to a record's first lead, from its start to its end, and compare.

    Raises
    ------
    RecordError
        If it is not on this machine, or has no annotations.
    """
    recording = read(name, data_dir=data_dir)
    reference = reference_episodes(recording)
    heard = listen(recording, model)
    analysis = heard.analysis
    return JudgedRecord(
        record=name,
        patient=patient(name),
        hours=recording.duration_s / 3600,
        matches=_matches(reference, heard),
        delays=_delays(name, reference, heard),
        alarms=[
            HighAlarm(code, span[0], is_true(code, span, reference))
            for code, span in high_alarms(heard.findings, recording.duration_s)
        ],
        n_findings=len(heard.findings),
        disagree=heard.disagree,
        by_start=scored(recording, name, analysis.beats, analysis.intervals, load(model).thresholds["abnormal"]),
    )


def _matches(reference: Reference, heard: Heard) -> dict[str, Match]:
    named, flutter = reference.rhythms, reference.flutter
    said = heard.spans
    fibrillates, flutters = named.get("AFIB", []), named.get("AFL", [])
    irregular = said("irregular rhythm")
    deadly = [span for span in said(*_DEADLY) if touches(span, flutter)]
    rows = said("ventricular run", "triplet", "ventricular rhythm")
    return {
        RUNS: match(reference.runs, rows, within_s=WITHIN_S, left_out=flutter),
        FAST_RUNS: match(reference.fast_runs, said("ventricular run"), within_s=WITHIN_S, left_out=flutter),
        AF: match(fibrillates, irregular, left_out=flutters),
        AF_OR_AFL: match([*fibrillates, *flutters], irregular),
        FLUTTER: match(flutter, said("no organised rhythm")),
        FLUTTER_SEEN: match(flutter, deadly),
        BIGEMINY: match(named.get("B", []), said("bigeminy")),
        TRIGEMINY: match(named.get("T", []), said("trigeminy")),
    }


def _delays(name: str, reference: Reference, heard: Heard) -> list[Delay]:
    runs = [
        Delay("ventricular run", name, span[0], first_told_s(heard.told, ("ventricular run",), span))
        for span in reference.fast_runs
    ]
    flutter = [
        Delay("ventricular flutter", name, span[0], first_told_s(heard.told, _DEADLY, span))
        for span in reference.flutter
    ]
    return runs + flutter


def first_told_s(told: Sequence[ToldFinding], names: Sequence[str], span: Span) -> float | None:
    """Seconds from an episode's onset until one of these findings that touches it was told; None if none was."""
    at_s = [one.at_s for one in told if one.name in names and touches(one.span, [span], WITHIN_S)]
    return min(at_s) - span[0] if at_s else None


def high_alarms(findings: Sequence[Finding], duration_s: float) -> list[tuple[str, Span]]:
    """Code and span of each physiological alarm of high priority that they raise."""
    return [
        (alarm.code, (alarm.start_s, alarm.end_s)) for alarm in episodes(findings, duration_s) if alarm.code in _HIGH
    ]


def is_true(code: str, span: Span, reference: Reference) -> bool:
    """Whether the reference has what an alarm says, where it says so.

    A ventricular run: VT, or five or more V beats in a row; or ventricular flutter. No organised rhythm: that.
    Asystole: 4 s without a beat. An extreme rate: that rate over 6 s; where it is fast, ventricular flutter too.
    """
    flutter = reference.flutter
    within_s, spans = {
        "ventricular run": (WITHIN_S, [*reference.long_runs, *flutter]),
        "no organised rhythm": (0.0, flutter),
        "asystole": (WITHIN_S, reference.still),
        "extreme tachycardia": (RATE_S, [*reference.fast, *flutter]),
        "extreme bradycardia": (RATE_S, reference.slow),
    }[code]
    return touches(span, spans, within_s)

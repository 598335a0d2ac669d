"""Hand-held recordings have a label each, and no annotated beats: is fibrillation found, is a normal one left alone?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ectopy.data import read
from ectopy.evaluation.findings.heard import listen
from ectopy.evaluation.findings.judge import high_alarms


@dataclass(frozen=True)
class HandHeld:
    """One recording of `cinc2017`.

    irregular : `irregular rhythm` was found at some time
    alarms : codes of its alarms of high priority
    """

    record: str
    label: str
    hours: float
    irregular: bool
    alarms: tuple[str, ...]


def judge_hand_held(name: str, labels: dict[str, str], model: str, data_dir: Path | None = None) -> HandHeld:
    """Listen to one; RecordError if it is not on this machine."""
    recording = read(name, data_dir=data_dir)
    heard = listen(recording, model)
    return HandHeld(
        record=name,
        label=labels[name],
        hours=recording.duration_s / 3600,
        irregular=bool(heard.spans("irregular rhythm")),
        alarms=tuple(code for code, _ in high_alarms(heard.findings, recording.duration_s)),
    )

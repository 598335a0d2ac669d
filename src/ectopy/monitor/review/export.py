"""A reviewed case's beats as files."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

from ectopy.monitor.review.case import Case, classes, said_of
from ectopy.reports import write_beats


def as_csv(case: Case) -> str:
    """A line a beat: sample, time_s, aami as it stands, the model's, and who said what of it when."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["sample", "time_s", "aami", "model_aami", "author", "note", "said_at"])
    model = {beat.sample: beat.aami for interval in case.intervals for beat in interval.beats}
    said = said_of(case)
    for sample, aami in classes(case).items():
        one = said.get(sample)
        words = [one.author, one.note, one.at.isoformat()] if one else ["", "", ""]
        writer.writerow([sample, f"{float(sample / case.fs):.4f}", aami or "", model.get(sample) or "", *words])
    return text.getvalue()


def as_wfdb(case: Case) -> bytes:
    """An annotation file with the symbols N, S, V, F and Q; what people said stands beside the beats as text."""
    beats, said = classes(case), said_of(case)
    notes = [
        f"was {said[sample].replaced or 'no beat'}: {said[sample].author}" if sample in said else "" for sample in beats
    ]
    with TemporaryDirectory(prefix="ectopy-") as folder:
        path = Path(folder) / "record.atr"
        write_beats(path, [*beats], [*beats.values()], float(case.fs), notes)
        return path.read_bytes()

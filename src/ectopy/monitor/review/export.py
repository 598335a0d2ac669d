"""A reviewed case's beats as files."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ectopy.monitor.review.case import Case, classes, said_of

_NO_CLASS = "?"  # WFDB's symbol of a beat without class


def file_name(case: Case) -> str:
    """What WFDB takes as a record's name."""
    return re.sub(r"[^-\w]", "_", Path(case.name).name, flags=re.ASCII) or "recording"


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
    import wfdb

    beats, said = classes(case), said_of(case)
    if not beats:
        return b"\0\0"  # the format's end mark; wfdb refuses to write a file without beats
    notes = [
        f"was {said[sample].replaced or 'no beat'}: {said[sample].author}" if sample in said else "" for sample in beats
    ]
    with TemporaryDirectory(prefix="ectopy-") as folder:
        wfdb.wrann(
            "record",
            "atr",
            np.array(list(beats)),
            symbol=[aami or _NO_CLASS for aami in beats.values()],
            aux_note=[note.encode("ascii", "replace").decode() for note in notes],
            fs=float(case.fs),
            write_dir=folder,
        )
        return (Path(folder) / "record.atr").read_bytes()

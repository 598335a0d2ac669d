"""Beats as a WFDB annotation file, and the name that a record may have there."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

_NO_CLASS = "?"  # WFDB's symbol of a beat without class


def record_name(recording: str) -> str:
    """ASCII letters, digits, `_` and `-`, as WFDB takes them; a name that had others gets a hash, as it might then be
    another's."""
    stem = Path(recording).name or "recording"
    name = re.sub(r"[^-\w]", "_", stem, flags=re.ASCII)
    return name if name == stem else f"{name}-{hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]}"


def write_beats(
    path: Path, sample: Sequence[int], aami: Sequence[str | None], fs: float, notes: Sequence[str] | None = None
) -> None:
    """Write `NAME.ANNOTATOR`, with the symbols N, S, V, F and Q, and ? without a class; notes beside the beats."""
    import wfdb

    if not len(sample):  # which wfdb refuses to write
        path.write_bytes(b"\0\0")  # the format's end mark
        return
    wfdb.wrann(
        path.stem,
        path.suffix[1:],
        np.array(sample, dtype=int),
        symbol=[one or _NO_CLASS for one in aami],
        aux_note=None if notes is None else [note.encode("ascii", "replace").decode() for note in notes],
        fs=fs,
        write_dir=str(path.parent),
    )

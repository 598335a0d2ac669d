"""WFDB annotation files: marks on a record, by hand or by a program.

The bytes are decoded by the `wfdb` package. Its `rdann` is not used as a whole because it loops for ever on
some comments at sample 0, leaves the file's own time resolution to the caller, and fails on unknown symbols.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import numpy as np

from ectopy.errors import FormatError
from ectopy.recording import Annotations

_NOTE = 22  # the code of a comment
_RESOLUTION = re.compile(r"## time resolution: (\d{1,9}(?:\.\d{1,9})?)")
_DEFINITION = re.compile(r"(\d{1,2}) (\S+) .*")
_LATE_S = 10  # svdb/860 has a mark just past its end; further off, the marks are another record's


def read_annotations(path: Path, clock: Fraction, fs: Fraction, n_samples: int, remedy: str) -> Annotations:
    """Read the marks in `path` as sample indices at `fs`.

    clock : the rate in Hz that the file counts in, if it does not give its own

    A code that PhysioNet does not define gets the symbol `[42]` (say), or the one that the file defines.

    Raises
    ------
    FormatError
        If it is no annotation file, not this record's, or can't be read.
    """
    from wfdb.io.annotation import ann_label_table, load_byte_pairs, proc_ann_bytes

    try:
        pairs = load_byte_pairs(str(path.with_suffix("")), path.suffix[1:], None)
        ticks, codes, subtypes, _, _, notes = proc_ann_bytes(pairs, None)
    except OSError as error:
        raise FormatError.unreadable(path, error) from None
    except Exception as error:  # whatever a damaged file does to the decoder
        raise FormatError(f"{path}: no annotation file, or a damaged one ({error}); {remedy}") from error

    symbols = dict(zip(ann_label_table["label_store"], ann_label_table["symbol"], strict=True))
    marks = []
    for tick, code, subtype, note in zip(ticks, codes, subtypes, notes, strict=True):
        if code == _NOTE and tick == 0 and note.startswith("## time resolution"):
            resolution = _RESOLUTION.match(note)
            clock = Fraction(resolution[1]) if resolution and Fraction(resolution[1]) else clock
        elif code == _NOTE and tick == 0 and (definition := _DEFINITION.fullmatch(note)):
            symbols[int(definition[1])] = definition[2]
        elif code != 0 and not (code == _NOTE and tick == 0 and note.startswith("## ")):
            marks.append((tick, code, subtype, note.rstrip("\0")))

    sample = np.array([tick for tick, *_ in marks], dtype=np.int64)
    if fs != clock:
        sample = np.round(sample * float(fs / clock)).astype(np.int64)
    latest = n_samples + _LATE_S * fs
    if len(sample) and (np.any(np.diff(sample) < 0) or sample[0] < 0 or sample[-1] > latest):
        raise FormatError(
            f"{path}: marks out of order or far outside the {n_samples:,} samples of the recording; {remedy}"
        )
    return Annotations(
        sample=sample,
        symbol=np.array([symbols.get(code, f"[{code}]") for _, code, *_ in marks], dtype=np.str_),
        aux=np.array([note for *_, note in marks], dtype=np.str_),
        subtype=np.array([subtype for *_, subtype, _ in marks], dtype=np.int64),
    )

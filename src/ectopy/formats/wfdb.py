"""WFDB, the format of PhysioNet: a text header, signals in one of 13 storage formats, annotations beside.

https://physionet.org/physiotools/wag/header-5.htm, signal-5.htm and annot-5.htm. Signals are decoded by the
`wfdb` package; headers are read in `_wfdb_header` and annotations in `_wfdb_annotations`, where the reasons
stand.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from ectopy.errors import FormatError, LeadError, RecordError
from ectopy.formats._wfdb_annotations import read_annotations
from ectopy.formats._wfdb_header import NO_SIGNAL, Header, Segment, Signal, read_header
from ectopy.recording import Recording, looks_like_mv

_SUFFIXES = (".hea", ".dat", ".mat", ".atr")

_TOO_LONG = 2**32  # samples: 138 days at 360 Hz; more is a damaged header

# WFDB takes no unit for mV; µ is both the micro sign and the Greek mu
_MV = {"": 1.0, "mv": 1.0, "uv": 1e-3, "\u00b5v": 1e-3, "\u03bcv": 1e-3, "v": 1e3, "nv": 1e-6}
_OTHER_UNITS = re.compile(
    r"mmhg|cmh2o|k?pa|b?pm|1/min|%|k?ohms?|m?l(/min)?|lpm|deg[cf]?|[cfg]|m/s\^?2|[cm]m|hz|m?s", re.IGNORECASE
)
_OTHER_NAMES = re.compile(
    r"(?<![a-z])(i?pleth|ppg|resp\w*|imp|air\s?flow|flow|i?abp|art|pap|cvp|icp|n?i?bp\w*|press\w*|spo2|so2|sao2|"
    r"co2|etco2|eeg\w*|eog\w*|emg\w*|temp\w*|hr|pulse|accel\w*|acc|position|sound|pcg)(?![a-z])",
    re.IGNORECASE,
)


def header_path(path: Path) -> Path:
    """Where the header of a record lies, given its name, its header, or a file beside the header."""
    return path.with_suffix(".hea") if path.suffix in _SUFFIXES else path.with_name(path.name + ".hea")


def read_wfdb(path: Path, *, leads: Sequence[str] | None = None, remedy: str = "copy it again") -> Recording:
    """Read a record: header, signals, and the reference annotations (`.atr`) if there are any.

    Of the signals, ECG leads are taken: measured in a voltage or an unknown unit, with a name that is not
    another signal's. `leads` may name any signal measured so. Leads of several samples a frame keep their own
    rate; where rates differ, the slower leads' samples are repeated, as WFDB's high-resolution mode does.

    remedy : what to do about a damaged or missing file, for the message

    Raises
    ------
    RecordError
        If there is no such record, or a file that its header names is missing.
    FormatError
        If a file is damaged, not what it says it is, or can't be read.
    LeadError
        If it has no such lead, or no ECG at all.
    """
    path = header_path(path)
    if not path.is_file():
        raise RecordError(f"{path}: no such header; check the record's name and folder")
    header = read_header(path)
    parts, frames = _parts(header, remedy)
    chosen = _choose(path, _announced(header, parts), leads)
    per_frame = max(signal.per_frame for signal in chosen)
    samples = _samples(header, parts, frames * per_frame, chosen, remedy)
    fs = header.fs * per_frame
    leads = tuple(signal.name for signal in chosen)
    used = [s for part, _, _ in parts for s in part.signals if s.name in leads and s.storage != NO_SIGNAL]
    calibrated = all(signal.calibrated and signal.unit.lower() in _MV for signal in used)
    atr = path.with_suffix(".atr")
    return Recording(
        samples=samples,
        fs=fs,
        leads=leads,
        start=header.start,
        calibrated=calibrated and looks_like_mv(samples, fs),
        annotations=read_annotations(atr, header.fs, fs, len(samples), remedy) if atr.is_file() else None,
        name=path.stem,
    )


# A part is a header with its place: the first frame and the number of frames. Between parts may be gaps.
_Part = tuple[Header, int, int]


def _parts(header: Header, remedy: str) -> tuple[list[_Part], int]:
    """The headers that hold signals, and the frames in all; a layout header, of length 0, comes first."""
    if not header.segments:
        with_data = [signal for signal in header.signals if signal.storage != NO_SIGNAL]
        if not with_data:
            raise FormatError(f"{header.path}: a header without signal data, as of a layout; name the whole record")
        length = header.length if header.length is not None else _held(header, with_data[0], remedy)
        return [(header, 0, length)], length
    parts: list[_Part] = []
    frames = 0
    for segment in header.segments:
        if segment.name != "~":
            parts.append((_segment_header(header, segment, remedy), frames, segment.length))
        frames += segment.length
    if not parts:
        raise FormatError(f"{header.path}: all its segments are gaps; expected one with signals")
    if header.length is not None and header.length != frames:
        raise FormatError(f"{header.path}: promises {header.length:,} samples, its segments add up to {frames:,}")
    return parts, frames


def _segment_header(record: Header, segment: Segment, remedy: str) -> Header:
    path = record.path.with_name(segment.name + ".hea")
    if not path.is_file():
        raise RecordError(f"{path}: not there, though {record.path.name} names it; {remedy}")
    header = read_header(path)
    if header.segments:
        raise FormatError(f"{path}: a segment of segments, in {record.path.name}; expected signals")
    if header.fs != record.fs:
        raise FormatError(f"{path}: {float(header.fs)} Hz in a record of {float(record.fs)} Hz; expected the same")
    return header


def _announced(record: Header, parts: list[_Part]) -> list[Signal]:
    """The record's signals, in the order in which they first appear, each as in the first part with data."""
    signals: dict[str, Signal] = {}
    for header, _, _ in parts:
        for signal in header.signals:
            known = signals.get(signal.name)
            if known is None or known.storage == NO_SIGNAL:
                signals[signal.name] = signal
            elif known.per_frame != signal.per_frame and signal.storage != NO_SIGNAL:
                raise FormatError(f"{header.path}: {signal.name} has another rate than elsewhere in {record.path.name}")
    return [signal for signal in signals.values() if signal.storage != NO_SIGNAL]


def _choose(path: Path, signals: list[Signal], leads: Sequence[str] | None) -> list[Signal]:
    there = ", ".join(f"{s.name} ({s.unit or 'mV'})" for s in signals) or "no signal"
    electric = {s.name: s for s in signals if not _OTHER_UNITS.fullmatch(s.unit)}
    if leads:
        leads = (leads,) if isinstance(leads, str) else leads  # a str is a sequence of its letters
        missing = [name for name in leads if name not in electric]
        if missing:
            raise LeadError(f"{path}: no ECG lead {', '.join(missing)} (it has {there})")
        return [electric[name] for name in leads]
    chosen = [signal for name, signal in electric.items() if not _OTHER_NAMES.search(name)]
    if not chosen:
        raise LeadError(f"{path}: no ECG lead by name and unit (it has {there})")
    return chosen


def _samples(header: Header, parts: list[_Part], length: int, chosen: list[Signal], remedy: str) -> np.ndarray:
    """(length, n_leads) float32, mV; NaN where nothing was recorded."""
    names = [signal.name for signal in chosen]
    per_frame = max(signal.per_frame for signal in chosen)
    for part, _, frames in parts:
        _check_files(part, frames, _columns(part, names), remedy)
    if not 0 < length < _TOO_LONG:
        raise FormatError(f"{header.path}: promises {length:,} samples; expected some, and fewer than {_TOO_LONG:,}")
    samples = np.full((length, len(names)), np.nan, dtype=np.float32)
    for part, first, frames in parts:
        channels = _columns(part, names)
        for channel, values in zip(channels, _digital(part, frames, channels, remedy), strict=True):
            signal = part.signals[channel]
            column = samples[first * per_frame : (first + frames) * per_frame, names.index(signal.name)]
            held = np.arange(frames * per_frame) * signal.per_frame // per_frame
            column[:] = _physical(signal, values)[held]
    return samples


def _columns(part: Header, names: list[str]) -> list[int]:
    return [i for i, s in enumerate(part.signals) if s.name in names and s.storage != NO_SIGNAL]


def _physical(signal: Signal, values: np.ndarray) -> np.ndarray:
    """mV from digital values; raw numbers if the unit is no voltage."""
    from wfdb.io._signal import INVALID_SAMPLE_VALUE

    missing = values == INVALID_SAMPLE_VALUE[signal.storage]
    scale = _MV.get(signal.unit.lower(), 1.0)
    with np.errstate(over="ignore"):
        exact = (values.astype(np.float64) - signal.baseline) / signal.gain * scale
        physical: np.ndarray = exact.astype(np.float32)
    physical[missing] = np.nan
    lag = min(signal.skew * signal.per_frame, len(physical))
    return np.concatenate([physical[lag:], np.full(lag, np.nan, np.float32)]) if lag else physical


def _digital(header: Header, length: int, wanted: list[int], remedy: str) -> list[np.ndarray]:
    """(length * per_frame,) int of each signal in `wanted`, as it lies in the file: skew is not undone."""
    # not wfdb.rdrecord, which reads the header again by its own rules, and whose de-skewing fails
    # where three signals have different skews
    from wfdb.io._signal import _rd_segment

    if not wanted:
        return []
    signals = list(header.signals)
    try:
        digital: list[np.ndarray] = _rd_segment(
            file_name=[s.file for s in signals],
            dir_name=str(header.path.parent),
            pn_dir=None,
            fmt=[s.storage for s in signals],
            n_sig=len(signals),
            sig_len=length,
            byte_offset=[s.offset for s in signals],
            samps_per_frame=[s.per_frame for s in signals],
            skew=[0] * len(signals),
            init_value=[s.initial for s in signals],
            sampfrom=0,
            sampto=length,
            channels=wanted,
            ignore_skew=True,
        )
    except Exception as error:  # whatever a damaged file does to the decoder
        raise FormatError(f"{header.path}: its signals can't be decoded ({error}); {remedy}") from error
    return digital


def _check_files(header: Header, length: int, wanted: list[int], remedy: str) -> None:
    for signal in [header.signals[i] for i in wanted]:
        if len({s.storage for s in header.signals if s.file == signal.file}) > 1:
            raise FormatError(f"{header.path}: several storage formats for {signal.file}; expected one")
        held = _held(header, signal, remedy)
        if held < length:
            path = header.path.with_name(signal.file)
            raise FormatError(f"{path}: holds {held:,} samples, but its header promises {length:,}; {remedy}")


def _held(header: Header, signal: Signal, remedy: str) -> int:
    """Whole frames in the file of this signal."""
    from wfdb.io._signal import BYTES_PER_SAMPLE, COMPRESSED_FMTS

    path = header.path.with_name(signal.file)
    if not path.is_file():
        raise RecordError(f"{path}: not there, though {header.path.name} names it; {remedy}")
    try:
        with path.open("rb") as file:
            n_bytes = file.seek(0, os.SEEK_END)
    except OSError as error:
        raise FormatError.unreadable(path, error) from None
    if signal.storage in COMPRESSED_FMTS:
        return _held_compressed(path, signal)
    per_frame = sum(s.per_frame for s in header.signals if s.file == signal.file)
    size = Fraction(BYTES_PER_SAMPLE[signal.storage]).limit_denominator(3)
    return max(int((n_bytes - signal.offset) / (size * per_frame)), 0)


def _held_compressed(path: Path, signal: Signal) -> int:
    import soundfile

    try:
        return max(int(soundfile.info(str(path)).frames) - signal.offset, 0) // signal.per_frame
    except soundfile.SoundFileError as error:
        raise FormatError(f"{path}: no FLAC signal file, as its header says ({error})") from None

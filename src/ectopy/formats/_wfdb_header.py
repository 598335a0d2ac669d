"""The text of a WFDB header, read strictly: text where a number belongs is an error, never a default.

The fields and their defaults are those of header(5) in the WFDB Applications Guide,
https://physionet.org/physiotools/wag/header-5.htm. `wfdb.rdheader` is not used because it refuses a whole
record for an unusual date, rounds the sampling rate to a float, takes text for a missing number and hides a
gain of 0.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from ectopy.errors import FormatError

DEFAULT_FS = Fraction(250)  # Hz, where the header gives none
DEFAULT_GAIN = 200.0  # units per mV, where the header gives none or 0: then the signal is not calibrated

FORMATS = ("8", "16", "24", "32", "61", "80", "160", "212", "310", "311", "508", "516", "524")
NO_SIGNAL = "0"  # a signal that a layout header announces and some segment holds

_NUMBER = r"\d{1,20}(?:\.\d{0,20})?|\.\d{1,20}"
_RATE = re.compile(rf"({_NUMBER})(?:/.*)?")  # behind the slash stands another clock, which is not needed
_STORAGE = re.compile(r"(\d+)(?:x(\d{1,6}))?(?::(\d{1,9}))?(?:\+(\d{1,15}))?")
_GAIN = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?)(?:\((-?\d{1,15})\))?(?:/(\S+))?")
_NUMBERS = re.compile(r"(?:-?\d{1,15}(?:\s+|$)){0,5}")
_NAME = re.compile(r"[\w.-]+")


@dataclass(frozen=True)
class Signal:
    """One signal line.

    per_frame : samples in each frame, a multiple of the record's rate
    skew : frames by which it lags in the file
    gain, baseline : physical value = (digital value - baseline) / gain
    unit : empty where the header gives none, which WFDB takes for mV
    calibrated : False where the header gives no gain, or 0
    """

    file: str
    storage: str
    per_frame: int
    skew: int
    offset: int
    gain: float
    baseline: int
    unit: str
    calibrated: bool
    initial: int
    name: str


@dataclass(frozen=True)
class Segment:
    """A part of a record: another record's name, or `~` for a gap; its length in frames."""

    name: str
    length: int


@dataclass(frozen=True)
class Header:
    """A header; `length` in frames (None: as long as its files) and either `signals` or `segments`."""

    path: Path
    fs: Fraction
    length: int | None
    start: datetime | None
    signals: tuple[Signal, ...]
    segments: tuple[Segment, ...]


def read_header(path: Path) -> Header:
    """Read a `.hea` file.

    Raises
    ------
    FormatError
        If it is no WFDB header, describes no signal, or has text where a number belongs.
    """
    lines = _lines(path)
    fields = lines[0].split() if lines else []
    if len(fields) < 2 or not re.fullmatch(r"[\w.-]+(?:/\d+)?", fields[0]):
        raise FormatError(
            f"{path}: no WFDB header; expected a first line as '100 2 360 650000': name, signals, Hz, samples"
        )
    n_signals = _whole(path, fields[1], "number of signals")
    rate = _RATE.fullmatch(fields[2]) if len(fields) > 2 else None
    if len(fields) > 2 and (rate is None or Fraction(rate[1]) == 0):
        raise FormatError(f"{path}: sampling rate {fields[2]!r}; expected a number of samples a second")
    length = _whole(path, fields[3], "number of samples") if len(fields) > 3 else 0
    segments: tuple[Segment, ...] = ()
    signals: tuple[Signal, ...] = ()
    if "/" in fields[0]:
        n_segments = _whole(path, fields[0].split("/")[1], "number of segments")
        segments = tuple(_segment(path, line) for line in _exactly(path, lines[1:], n_segments, "segments"))
    else:
        signals = tuple(_signal(path, line) for line in _exactly(path, lines[1:], n_signals, "signals"))
    return Header(
        path=path,
        fs=Fraction(rate[1]) if rate else DEFAULT_FS,
        length=length or None,
        start=_start(fields[4:]),
        signals=_with_distinct_names(signals),
        segments=segments,
    )


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise FormatError.unreadable(path, error) from None
    if b"\0" in text:
        raise FormatError(f"{path}: no WFDB header but binary data; expected lines of text")
    lines = (line.strip() for line in text.decode("utf-8-sig", errors="replace").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _exactly(path: Path, lines: list[str], count: int, what: str) -> list[str]:
    if count == 0:
        raise FormatError(f"{path}: a header without {what}, so there is nothing to read; expected at least one")
    if len(lines) < count:
        raise FormatError(f"{path}: promises {count} {what} but describes {len(lines)}; copy the header again")
    return lines[:count]


def _segment(path: Path, line: str) -> Segment:
    name, *rest = line.split()
    if not rest or not (name == "~" or _NAME.fullmatch(name)):
        raise FormatError(f"{path}: segment line {line!r}; expected a record name and a number of samples")
    return Segment(name, _whole(path, rest[0], f"length of segment {name}"))


def _signal(path: Path, line: str) -> Signal:
    file, *rest = line.split(maxsplit=2)
    storage = _STORAGE.fullmatch(rest[0]) if rest else None
    if storage is None or not (file == "~" or _NAME.fullmatch(file)):
        raise FormatError(f"{path}: signal line {line!r}; expected a file name and a storage format, as '100.dat 212'")
    if storage[1] not in (*FORMATS, NO_SIGNAL):
        raise FormatError(f"{path}: storage format {storage[1]} of {file}; expected one of {', '.join(FORMATS)}")
    gain_text, rest_text = [*rest[1].split(maxsplit=1), ""][:2] if len(rest) > 1 else ("", "")
    gain = _GAIN.fullmatch(gain_text)
    value = float(gain[1]) if gain else 0.0
    if (gain is None and gain_text) or not math.isfinite(value):
        raise FormatError(f"{path}: gain {gain_text!r} of {file}; expected a number, as '200' or '200(1024)/mV'")
    # resolution, zero, first value, checksum, block size; then the name, which may hold spaces
    numbers = _NUMBERS.match(rest_text)
    parts = [int(number) for number in numbers[0].split()] if numbers else []
    zero = parts[1] if len(parts) > 1 else 0
    return Signal(
        file=file,
        storage=storage[1],
        per_frame=int(storage[2] or 1) or 1,
        skew=int(storage[3] or 0),
        offset=int(storage[4] or 0),
        gain=value or DEFAULT_GAIN,
        baseline=int(gain[2]) if gain and gain[2] else zero,
        unit=(gain[3] or "") if gain else "",
        calibrated=value != 0,
        initial=parts[2] if len(parts) > 2 else 0,
        name=rest_text[numbers.end() if numbers else 0 :].strip(),
    )


def _with_distinct_names(signals: tuple[Signal, ...]) -> tuple[Signal, ...]:
    """Signals without a name get one, and the second `ECG` of a record (ltafdb, vfdb) becomes `ECG_2`."""
    seen: list[str] = []
    named = []
    for number, signal in enumerate(signals, start=1):
        base = signal.name or f"ECG{number}"
        name, count = base, 1
        while name in seen:
            count += 1
            name = f"{base}_{count}"
        seen.append(name)
        named.append(Signal(**{**vars(signal), "name": name}))
    return tuple(named)


def _whole(path: Path, text: str, what: str) -> int:
    if not re.fullmatch(r"\d{1,15}", text):
        raise FormatError(f"{path}: {what} {text!r}; expected a whole number")
    return int(text)


def _start(fields: list[str]) -> datetime | None:
    """Time and date, as `10:44:18.529 04/05/2704`.

    A start in another form is no reason to refuse a recording: then it is not known. Nor is it guessed:
    cinc2017 has `2014-05-08 05:05:15`, where the month stands in the place of the minutes in every record.
    """
    try:
        clock, day = fields[:2]
        moment = datetime.strptime(f"{day} {clock.split('.')[0]}", "%d/%m/%Y %H:%M:%S")
        return moment.replace(microsecond=int((clock.partition(".")[2] + "000000")[:6]))
    except ValueError:
        return None

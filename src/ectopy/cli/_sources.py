"""What `ectopy stream` hands to a service: a recording, or what a device pipes in."""

from __future__ import annotations

import asyncio
import math
import os
import re
import stat
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from ectopy.errors import SignalError
from ectopy.recording import Recording
from ectopy.wire import EpochRequest

_STEPS_PER_S = 4
_LONGEST_STEP_S = 10


@dataclass(frozen=True)
class Source:
    """A signal to be.

    request : what the service is told of it
    chunks : samples in mV, (n, n_leads), or bytes in the stored form, as they come
    n : how many samples there will be; None where nobody knows
    """

    request: EpochRequest
    chunks: AsyncIterator[NDArray[np.float32] | bytes]
    n: int | None


def recorded(recording: Recording, speed: float) -> Source:
    """A recording at its own pace times `speed`; SignalError if a service takes no such recording."""
    request = _request(
        fs=str(recording.fs),
        leads=list(recording.leads),
        kind="float32",  # as a `Recording` has them, so that the verdicts are those of its analysis
        unit="mV" if recording.calibrated else "unknown",
        label=recording.name or None,
    )
    return Source(request, _paced(recording, speed), len(recording.samples))


def piped(fs: str, leads: list[str], unit: str, gain: float, binary: str | None) -> Source:
    """A device on standard input.

    gain : value = number / gain
    binary : little-endian `int16` or `float32`, leads side by side, -32768 or NaN = missing; None: a line a sample

    Raises
    ------
    SignalError
        If a service takes no such device, or there is none.
    """
    if not math.isfinite(gain):
        raise SignalError(f"gain {gain}: expected a finite number")
    if sys.stdin is None:
        raise SignalError("standard input is closed; pipe a device into it")
    as_counts = binary == "int16"
    request = _request(fs=fs, leads=leads, kind=binary or "float32", unit=unit, gain=gain if as_counts else 1.0)
    chunks = _whole(request.form.width) if binary else _parsed(len(leads))
    return Source(request, chunks if as_counts else _divided(chunks, gain), None)


def stream_id(name: str) -> str:
    """The id that is nearest to a name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:64] or "stream"


def _request(**fields: object) -> EpochRequest:
    try:
        return EpochRequest.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        name, given = ".".join(map(str, first["loc"])), first["input"]
        if not name:  # of the whole, where leads are looked at beside each other
            name, given = "leads", fields["leads"]
        raise SignalError(f"{name} {given!r}: {first['msg'].removeprefix('Value error, ')}") from None


async def _paced(recording: Recording, speed: float) -> AsyncIterator[NDArray[np.float32] | bytes]:
    fs = float(recording.fs)
    step = max(1, round(min(_LONGEST_STEP_S, speed / _STEPS_PER_S) * fs))
    began = asyncio.get_running_loop().time()
    for first in range(0, len(recording.samples), step):
        chunk = recording.samples[first : first + step]
        due = began + (first + len(chunk)) / fs / speed  # a sample is there once it has been
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        yield chunk


async def _divided(chunks: AsyncIterator[bytes], gain: float) -> AsyncIterator[NDArray[np.float32] | bytes]:
    """float32 numbers to values."""
    async for chunk in chunks:
        yield chunk if gain == 1 else _quotient(chunk, gain)


async def _whole(width: int) -> AsyncIterator[bytes]:
    """Binary samples; a part of one at the end is none."""
    rest = b""
    async for data in _standard_input():
        rest += data
        n = len(rest) // width * width
        if n:
            yield rest[:n]
        rest = rest[n:]


async def _parsed(n_leads: int) -> AsyncIterator[bytes]:
    """Lines of text as float32."""
    rest, number = b"", 0
    async for data in _standard_input():
        *lines, rest = (rest + data).split(b"\n")
        values = [_values(line, number + i, n_leads) for i, line in enumerate(lines, start=1)]
        number += len(lines)
        if values:
            yield _packed(values)
    if rest:
        yield _packed(_values(rest, number + 1, n_leads))


def _quotient(chunk: bytes, gain: float) -> bytes:
    with np.errstate(over="ignore"):
        return (np.frombuffer(chunk, "<f4") / np.float32(gain)).astype("<f4").tobytes()


def _packed(values: list[float] | list[list[float]]) -> bytes:
    with np.errstate(over="ignore"):  # what no float32 holds is infinite, and so missing
        return np.array(values, "<f4").tobytes()


def _values(line: bytes, number: int, n_leads: int) -> list[float]:
    text = line.decode("utf-8-sig", errors="replace").strip()
    fields = text.split(",") if "," in text else text.split() or [""] * n_leads
    try:
        values = [float(field) if field.strip() else math.nan for field in fields]
    except ValueError:
        values = []
    if len(values) != n_leads:
        wanted = "a number" if n_leads == 1 else f"{n_leads} numbers, comma or blank between them"
        raise SignalError(f"standard input, line {number}: {text[:40]!r}; expected {wanted}; empty or nan = missing")
    return values


async def _standard_input() -> AsyncIterator[bytes]:
    """As it comes, until it ends; what is no pipe has it all at once."""
    file = sys.stdin.buffer
    kind = os.fstat(file.fileno()).st_mode
    if not (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind) or file.isatty()):
        while data := file.read(65536):
            yield data
        return
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
    try:
        while data := await reader.read(65536):
            yield data
    finally:
        transport.close()

"""Samples as JSON: from the bytes of a request to a `Recording`, and from an `Analysis` to the bytes of its answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError

from ectopy.alarms import episodes
from ectopy.analysis import Analysis
from ectopy.errors import LeadError, SignalError
from ectopy.recording import Recording, looks_like_mv
from ectopy.service.limits import RefusedError
from ectopy.signal import check_rate
from ectopy.wire import AnalysisRequest, Form
from ectopy.wire.messages import MAX_LEADS, Value

_RATE = re.compile(r"[0-9./]{1,32}")  # a fraction of '1e999999999' would fill the memory with its zeros
_JSON = TypeAdapter(Any)

_Lead = Annotated[list[Value], Field(fail_fast=True)]


class _Strip(AnalysisRequest):
    """The same, given up at the first wrong sample: a million of them would make as many errors."""

    samples: _Lead | Annotated[list[_Lead], Field(fail_fast=True)] = Field(min_length=1)


def parse(body: bytes) -> tuple[Recording, str | None]:
    """The samples of an `AnalysisRequest`, and the model that it names.

    Raises
    ------
    RefusedError
        If it is no such request.
    SignalError, LeadError
        If samples, rate and leads don't fit each other.
    """
    try:
        strip = _Strip.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise RefusedError(_reason(error), 422) from None
    if isinstance(strip.fs, str) and not _RATE.fullmatch(strip.fs):
        raise SignalError(f"fs {strip.fs[:32]!r}: expected a number of samples a second, or a fraction as '1000/3'")
    fs = check_rate(strip.fs)
    values = _columns(strip.samples)
    n_leads = values.shape[1]
    if strip.leads is not None and len(strip.leads) != n_leads:
        raise LeadError(f"{len(strip.leads)} leads, but samples of {n_leads}; expected a name for each")
    with np.errstate(over="ignore"):  # what no float32 holds is infinite, and so missing
        samples = Form(n_leads, "float32", strip.unit).decode(values.astype("<f4").tobytes())
    leads = strip.leads or [f"lead {n + 1}" for n in range(n_leads)]
    calibrated = strip.unit != "unknown" and looks_like_mv(samples, fs)
    return Recording(samples, fs, tuple(leads), calibrated=calibrated), strip.model


def _columns(samples: list[float | None] | list[list[float | None]]) -> NDArray[np.float64]:
    """(n, n_leads); NaN where missing."""
    try:
        values = np.array(samples, np.float64)
    except ValueError:
        raise SignalError("samples of different numbers of leads; expected as many in each") from None
    values = values[:, None] if values.ndim == 1 else values
    if not 1 <= values.shape[1] <= MAX_LEADS:
        raise LeadError(f"samples of {values.shape[1]} leads; expected 1 to {MAX_LEADS}")
    return values


def _reason(error: ValidationError) -> str:
    """The first error as one line. Of the two shapes that samples may have, the one that fits further is meant."""
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    alike = [e for e in errors if e["loc"][:1] == errors[0]["loc"][:1]]
    first = max(alike, key=lambda e: [part for part in e["loc"] if isinstance(part, int)])
    place = [str(part) for part in first["loc"] if "[" not in str(part)]  # the shape tried is a part of it: list[...]
    return f"{'.'.join(place) or 'body'}: {first['msg']}"


def encode(analysis: Analysis) -> Iterator[bytes]:
    """An `AnalysisOut` as JSON, piece by piece."""
    recording = analysis.recording
    summary = asdict(analysis.summary)
    summary["beats"] = {aami or "none": n for aami, n in summary["beats"].items()}
    head = {
        "name": recording.name,
        "fs": float(recording.fs),
        "leads": recording.leads,
        "calibrated": recording.calibrated,
        "model": analysis.model,
        "summary": summary,
        "episodes": [
            {**asdict(episode), "late": True} for episode in episodes(analysis.findings, recording.duration_s)
        ],
    }
    yield _JSON.dump_json(head)[:-1] + b',"intervals":['
    for n, verdict in enumerate(analysis.verdicts):
        yield (b"," if n else b"") + _JSON.dump_json(verdict)  # NaN becomes null
    yield b"]}"

"""What a notebook shows of a recording and of an analysis: a table and a picture, in one piece of HTML."""

from __future__ import annotations

import base64
import io
from collections import Counter
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, cast

from ectopy.figures.overview import analysis_overview
from ectopy.figures.strips import recording_strip
from ectopy.figures.words import DISCLAIMER, clock, facts
from ectopy.recording import Recording

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ectopy.analysis.result import Analysis

_SHOWN_S = 10.0


def recording_html(recording: Recording) -> str:
    """The recording's facts and its first 10 s."""
    rows = {
        "length": clock(recording.duration_s),
        "leads": ", ".join(recording.leads),
        "sampling rate": f"{float(recording.fs):g} Hz",
        "amplitude": "mV" if recording.calibrated else "not calibrated",
    }
    if recording.start is not None:
        rows["start"] = f"{recording.start:%Y-%m-%d %H:%M:%S %z}".rstrip()
    if recording.annotations is not None:
        counts = Counter(recording.annotations.beats.aami.tolist())
        rows["reference beats"] = ", ".join(f"{n:,} {aami}" for aami, n in counts.most_common()) or "none"
    seconds = min(_SHOWN_S, recording.duration_s)
    picture = _image(cast("Figure", recording_strip(recording, 0.0, seconds).figure)) if seconds else ""
    return _block(recording.name or "Recording", rows, picture)


def analysis_html(analysis: Analysis) -> str:
    """The analysis's summary and its overview."""
    rows = facts(analysis.summary) | {"model": analysis.model, "": DISCLAIMER}
    return _block(analysis.recording.name or "Analysis", rows, _image(analysis_overview(analysis)))


def _block(title: str, rows: Mapping[str, str], picture: str) -> str:
    table = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows.items())
    return f'<div><b>{escape(title)}</b><table style="text-align:left">{table}</table>{picture}</div>'


def _image(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img style="max-width:100%" src="data:image/png;base64,{data}">'

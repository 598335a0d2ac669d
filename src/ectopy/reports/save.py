"""An analysis as files: beats, intervals, findings, alarms, and a picture of the worst intervals."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ectopy.errors import OutputError
from ectopy.figures import worst_intervals
from ectopy.reports.alarms import alarms_of, episode_table, finding_table
from ectopy.reports.annotations import record_name, write_beats

if TYPE_CHECKING:
    from ectopy.alarms import Episode
    from ectopy.analysis.result import Analysis

_FLOATS = "%.10g"  # a microsecond in 24 hours


def save(analysis: Analysis, folder: Path | str) -> list[Path]:
    """Write an analysis into a folder, which is made where it is missing, and say what was written.

    NAME.ectopy : the beats as WFDB annotations (symbols N, S, V, F, Q), for `wfdb.rdann(NAME, "ectopy")`
    NAME.beats.csv, NAME.intervals.csv : the tables `beats` and `intervals`
    NAME.findings.csv : what was found, as a stream tells it: a row when it begins, another when it ends
    NAME.episodes.csv : the alarms that a service would have raised
    NAME.json : recording, model, notes, those alarms, and every verdict with its beats and findings
    NAME.worst.png : the ten worst intervals on ECG paper

    All are written beside their place first, then moved: a file there is whole. NAME is the recording's, as
    `record_name` has it.

    Raises
    ------
    OutputError
        If the folder can't be written.
    """
    folder = Path(folder)
    name = record_name(analysis.recording.name)
    check_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".ectopy-", dir=folder) as temporary:
            here = Path(temporary) / name
            beats = analysis.beats
            write_beats(Path(f"{here}.ectopy"), beats["sample"], beats["aami"].fillna(""), float(analysis.recording.fs))
            beats.to_csv(f"{here}.beats.csv", index=False, float_format=_FLOATS)
            analysis.intervals.to_csv(f"{here}.intervals.csv", index=False, float_format=_FLOATS)
            finding_table(analysis).to_csv(f"{here}.findings.csv", index=False, float_format=_FLOATS)
            alarms = alarms_of(analysis)
            episode_table(alarms).to_csv(f"{here}.episodes.csv", index=False, float_format=_FLOATS)
            Path(f"{here}.json").write_text(_as_json(analysis, alarms), encoding="utf-8")
            worst_intervals(analysis).savefig(f"{here}.worst.png", dpi=150)
            return [path.replace(folder / path.name) for path in sorted(here.parent.iterdir())]
    except OSError as error:
        raise _unwritable(folder, error.strerror or str(error)) from None


def check_folder(folder: Path) -> None:
    """See, before hours are analysed, that the result will have a place; makes nothing.

    Raises
    ------
    OutputError
        If the folder, or the nearest one above it that exists, is none or can't be written.
    """
    try:
        place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    except OSError as error:
        raise _unwritable(folder, error.strerror or str(error)) from None
    if not place.is_dir():
        raise _unwritable(folder, f"{place} is a file" if place != folder else "it is a file")
    if not os.access(place, os.W_OK | os.X_OK):
        raise _unwritable(folder, "no permission")


def check_file(path: Path) -> None:
    """The same for a file, which is none yet or can be written anew."""
    check_folder(path.parent)
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; name a file in it")
    if path.exists() and not os.access(path, os.W_OK):
        raise OutputError(f"{path}: can't be written (no permission); choose another file")


def _unwritable(folder: Path, why: str) -> OutputError:
    return OutputError(f"{folder}: can't be written as a folder ({why}); choose another folder")


def _as_json(analysis: Analysis, alarms: Sequence[Episode]) -> str:
    """One JSON object, a line for each verdict."""
    recording, summary = analysis.recording, analysis.summary
    head = {
        "recording": recording.name,
        "start": recording.start and recording.start.isoformat(),
        "duration_s": recording.duration_s,
        "fs": float(recording.fs),
        "leads": recording.leads,
        "calibrated": recording.calibrated,
        "model": analysis.model,
        "notes": analysis.notes,
        "counts": summary.verdicts,
        "episodes": [asdict(episode) for episode in alarms],
    }
    verdicts = ",\n".join(json.dumps(verdict.to_dict(), allow_nan=False) for verdict in analysis.verdicts)
    return f'{json.dumps(head, allow_nan=False)[:-1]}, "verdicts": [\n{verdicts}\n]}}\n'

"""From what a user names to tables: records are read, conditioned and measured in two processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import numpy as np

from ectopy.data import CATALOGUE, read, records
from ectopy.errors import EctopyError, SignalError
from ectopy.evaluation import TEST_SPLITS, each_record
from ectopy.recording import Annotations, Recording
from ectopy.reports.eda.tables import GROUPS, Tables, group, join, look
from ectopy.reports.section import short
from ectopy.signal import check_rate
from ectopy.verdict import SHORTEST_S

_FEW = 4  # records for which a second process is not worth its start

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class _Job:
    name: str  # what it is called in the report
    group: str
    source: str  # what `read` reads it by
    whole: bool  # of a database named as a whole, which one bad record does not spoil
    data_dir: Path | None


def explore(
    sources: Sequence[str],
    data_dir: Path | None = None,
    progress: Progress = lambda done, total, record: None,
) -> Tables:
    """Measure databases, records and files.

    Beats are the reference annotations; where a record has none, those of the model `instant`. A record of a
    database that can't be read is left out, and said in `notes`; one that was named by itself is an error.
    More than four records are shared between two processes, so a script that calls this stands under
    ``if __name__ == "__main__":``.

    sources : databases (`mitdb`), their records (`mitdb/100`), `demo`, or paths of files
    progress : called with records done, records in all, and the last one's name

    Raises
    ------
    EctopyError
        If there is no such database or recording, or none that can be measured.
    """
    jobs = _jobs(sources, data_dir)
    looks: list[Tables] = []
    refused: list[EctopyError] = []
    for done, (job, result) in enumerate(zip(jobs, each_record(_look, jobs, few=_FEW), strict=True), 1):
        if isinstance(result, Tables):
            looks.append(result)
        elif job.whole:
            refused.append(result)
        else:
            raise result
        progress(done, len(jobs), job.name)
    if not looks:
        raise refused[0]
    tables = join(sorted(looks, key=_place))  # a split's records stand together
    notes = *_notes(tables, sources), *(f"left out: {error}" for error in refused)
    return replace(tables, asked=tuple(dict.fromkeys(sources)), notes=notes)


def _jobs(sources: Sequence[str], data_dir: Path | None) -> list[_Job]:
    jobs: dict[str, _Job] = {}
    for source in sources:
        if source in CATALOGUE:
            for name in records(source, data_dir):
                jobs.setdefault(name, _Job(name, group(name), name, True, data_dir))
        elif source == "demo":
            jobs.setdefault(source, _Job(source, source, source, False, data_dir))
        elif PurePath(source).parent.name in CATALOGUE:  # a record, or one of its files, wherever the database lies
            name = f"{PurePath(source).parent.name}/{short(source)}"
            jobs.setdefault(name, _Job(name, group(name), source, False, data_dir))
        else:
            jobs.setdefault(source, _Job(source, "files", source, False, data_dir))
    return sorted(jobs.values(), key=lambda job: job.whole)  # what may be refused comes first


def _place(look: Tables) -> int:
    (group,) = look.groups
    return GROUPS.index(group) if group in GROUPS else len(GROUPS)


def _look(job: _Job) -> Tables | EctopyError:
    try:
        recording = read(job.source, data_dir=job.data_dir)
        _check(recording, job.name)
        recording, beats_by = _with_beats(recording)
    except EctopyError as error:
        return error
    return look(job.name, job.group, recording, beats_by, job.source)


def _check(recording: Recording, name: str) -> None:
    check_rate(recording.fs)
    if recording.duration_s < SHORTEST_S:
        raise SignalError(f"{name}: {recording.duration_s:.2f} s long; expected at least {SHORTEST_S} s")
    if not np.isfinite(recording.samples).any():
        raise SignalError(f"{name}: every sample of {', '.join(recording.leads)} is missing; nothing to look at")


def _with_beats(recording: Recording) -> tuple[Recording, str]:
    """The recording with beats among its annotations, and who found them: `reference`, or a model's name."""
    if recording.annotations is not None and len(recording.annotations.beats):
        return recording, "reference"
    from ectopy.analysis import analyze

    analysis = analyze(recording)
    beats = analysis.beats
    symbol = beats["aami"].to_numpy(dtype=str)  # a class's letter is a symbol of that class
    marks = Annotations(beats["sample"].to_numpy(dtype=np.int64), symbol, np.full(len(beats), "", dtype=str))
    return replace(recording, annotations=marks), analysis.model


def _notes(tables: Tables, sources: Sequence[str]) -> list[str]:
    notes = []
    tested = [name for name in TEST_SPLITS if name in tables.groups]
    if tested:
        narrow = "class weights, strips, correlation, embedding and neighbours"
        notes.append(
            f"Test patients ({', '.join(tested)}) are shown so that what differs is known; no choice is made from "
            + (
                f"them. {narrow.capitalize()} use training patients only."
                if tables.has_training
                else f"them. Without a training patient beside them, {narrow} show them too."
            )
        )
    trained = tables.records.loc[tables.records["training"], ["record", "patient"]]
    for record, person in tables.records.loc[tables.records["group"].isin(tested), ["record", "patient"]].to_numpy():
        if person in set(trained["patient"]):
            notes.append(f"{record} is the person of {person}, who is among the training patients.")
    for source in sources:
        if source in CATALOGUE:
            here = sum(name.partition("/")[0] == source for name in tables.records["record"])
            if here < CATALOGUE[source].records:
                notes.append(f"{source}: {here} of its {CATALOGUE[source].records} records are in this report.")
    for model, of in tables.records.groupby("beats_by"):
        if model != "reference":
            which = of["record"].iloc[0] if len(of) == 1 else f"{len(of)} records"
            notes.append(f"{which}: no reference beats, so the model {model} found and classified them.")
    if "demo" in tables.groups:
        notes.append("demo: MIT-BIH record 208, a training patient.")
    vague = tables.records.loc[~tables.records["calibrated"], "record"]
    if len(vague):
        which = vague.iloc[0] if len(vague) == 1 else f"{len(vague)} records"
        notes.append(f"{which}: not calibrated, so without amplitudes in mV.")
    return notes

"""The tables that every section of the report reads, made record by record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ectopy.data import PACED, patient, split, training
from ectopy.evaluation import features
from ectopy.recording import AAMI_CLASSES, Recording
from ectopy.signal import READABLE, block_start, condition

if TYPE_CHECKING:
    import pandas as pd

KEPT = 100  # beats of a class a record whose shape is kept, so that no record rules the picture
STATES = ("good", "noisy", "flat", "missing")
GROUPS = ("DS1", "DS2", "mitdb, paced", "svdb-even", "svdb-odd", "svdb, left out")  # in this order; others after
_SPLITS = ("DS1", "DS2", "svdb-even", "svdb-odd")
_TRAINING = {*training("ds1"), *training("shipped")}


@dataclass(frozen=True, eq=False)
class Tables:
    """What is known of all records. Every table but `shapes` has the columns record and group.

    records : a row a record: patient, training, source (what `ectopy.data.read` reads it by), hours, fs, leads,
        calibrated, beats_by (`reference`, or the model that found the beats), and the counts N, S, V, F, Q
    beats : a row a beat: patient, training, sample, time_s, aami, rr_s, rr_next_s, prematurity, amplitude_mv,
        width_ms, likeness, quality (of the first lead where they need one)
    seconds : a row a second and lead: lead, place (0 = first lead), quality, state (one of STATES)
    shaped : a row a shape: lead, place, beat (row of `beats`), aami, patient, training
    shapes : (len(shaped), 96) float32, the conditioned signal around R
    missing : a row a record and lead: lead, samples, missing (how many of them)
    asked : the databases, records and files that were named
    notes : what a reader must know beside the figures
    """

    records: pd.DataFrame
    beats: pd.DataFrame
    seconds: pd.DataFrame
    shaped: pd.DataFrame
    shapes: np.ndarray
    missing: pd.DataFrame
    asked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def groups(self) -> list[str]:
        """The groups there are, in the order of the records."""
        return list(dict.fromkeys(self.records["group"]))

    @property
    def compared(self) -> list[str]:
        """The groups that are set against each other: those of a split where there are any, else all."""
        return [name for name in self.groups if name in _SPLITS] or self.groups

    def trained_on(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of training patients; all rows where there are none."""
        return table[table["training"]] if self.has_training else table

    @property
    def has_training(self) -> bool:
        return bool(self.records["training"].any())


def group(name: str) -> str:
    """The set a record is drawn with: its split, its database, `demo` or `files`."""
    for one in _SPLITS:
        if name in split(one):
            return one
    if name in PACED:
        return "mitdb, paced"
    if name == "svdb/878":
        return "svdb, left out"
    return name.partition("/")[0] if "/" in name else name


def look(name: str, group: str, recording: Recording, beats_by: str, source: str) -> Tables:
    """The tables of one record, whose annotations hold its beats; `Tables` says what the words mean."""
    import pandas as pd

    marks = recording.annotations
    assert marks is not None
    reference = marks.beats
    inside = (reference.sample >= 0) & (reference.sample < len(recording.samples))
    reference = reference[inside]
    sample, fs = reference.sample, float(recording.fs)
    conditioned = condition(recording.samples, recording.fs)
    shapes = features.shapes(conditioned, sample, fs)
    second = np.minimum((sample / fs).astype(int), conditioned.n_blocks - 1)
    who = {"record": name, "group": group, "patient": patient(name), "training": name in _TRAINING}
    beats = features.rhythm(sample, fs).assign(
        **who,
        sample=sample,
        time_s=sample / fs,
        aami=reference.aami,
        amplitude_mv=features.amplitude(recording, sample),
        width_ms=features.width_ms(shapes[0]),
        likeness=features.likeness(shapes[0]),
        quality=conditioned.quality[0, second],
    )
    kept = _kept(reference.aami)
    shaped = [
        pd.DataFrame({**who, "lead": lead, "place": place, "beat": kept, "aami": reference.aami[kept]})
        for place, lead in enumerate(recording.leads)
    ]
    counts: dict[str, int] = {aami: int((reference.aami == aami).sum()) for aami in AAMI_CLASSES}
    about = {
        "source": source,
        "hours": recording.duration_s / 3600,
        "fs": fs,
        "leads": ", ".join(recording.leads),
        "calibrated": recording.calibrated,
        "beats_by": beats_by,
    }
    absent = ~np.isfinite(recording.samples)
    return Tables(
        records=pd.DataFrame([{**who, **about, **counts}]),
        beats=beats,
        seconds=_seconds(name, group, recording, conditioned.quality, conditioned.dead, absent),
        shaped=pd.concat(shaped, ignore_index=True),
        shapes=shapes[:, kept].reshape(-1, shapes.shape[2]),
        missing=pd.DataFrame(
            {**who, "lead": list(recording.leads), "samples": len(absent), "missing": absent.sum(axis=0)}
        ),
    )


def join(looks: Sequence[Tables]) -> Tables:
    """One for all records; shapes that met a gap are left behind."""
    import pandas as pd

    starts = np.cumsum([0, *(len(one.beats) for one in looks)])
    shaped = pd.concat(
        [one.shaped.assign(beat=one.shaped["beat"] + start) for one, start in zip(looks, starts, strict=False)],
        ignore_index=True,
    )
    shapes = np.concatenate([one.shapes for one in looks])
    whole = ~np.isnan(shapes[:, 0])
    tables = {
        name: pd.concat([getattr(one, name) for one in looks], ignore_index=True)
        for name in ("records", "beats", "seconds", "missing")
    }
    return Tables(**tables, shaped=shaped[whole].reset_index(drop=True), shapes=shapes[whole])


def _kept(aami: np.ndarray) -> np.ndarray:
    """At most `KEPT` beats of each class, evenly spread over the record."""
    chosen = []
    for one in AAMI_CLASSES:
        places = np.flatnonzero(aami == one)
        chosen.append(places[np.unique(np.linspace(0, len(places) - 1, min(KEPT, len(places))).astype(int))])
    return np.sort(np.concatenate(chosen))


def _seconds(
    name: str, group: str, recording: Recording, quality: np.ndarray, dead: np.ndarray, absent: np.ndarray
) -> pd.DataFrame:
    import pandas as pd

    n_leads, n_seconds = quality.shape
    starts = [block_start(second, recording.fs) for second in range(n_seconds)]
    share = np.add.reduceat(absent, starts, axis=0).T / float(recording.fs) if n_seconds else np.zeros(quality.shape)
    state = np.select([share > 0.5, dead, quality < READABLE], ["missing", "flat", "noisy"], "good")
    return pd.DataFrame(
        {
            "record": name,
            "group": group,
            "lead": np.repeat(recording.leads, n_seconds),
            "place": np.repeat(np.arange(n_leads), n_seconds),
            "quality": quality.ravel(),
            "state": state.ravel(),
        }
    )

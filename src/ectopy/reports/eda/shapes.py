"""Sections on what beats look like: median and spread of each class, and strips side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ectopy.data import read
from ectopy.evaluation import features
from ectopy.figures import clock
from ectopy.figures import eda as draw
from ectopy.recording import AAMI_CLASSES, ABNORMAL_CLASSES, Annotations, Recording
from ectopy.reports.eda.tables import KEPT, Tables
from ectopy.reports.section import Section, database_of, listed, plural, short
from ectopy.signal import RATE
from ectopy.verdict import INTERVAL_S

if TYPE_CHECKING:
    import pandas as pd

_LEADS = 4  # of a database, those with most beats
_FEWEST = 5  # beats that have a median worth drawing
_GOOD = 0.8  # quality of the beats in a strip, so that rhythm is shown and not noise


def beat_shapes(tables: Tables) -> Section:
    """Median and spread of each class, a row a lead."""
    from matplotlib.figure import Figure

    key, title = "beat-shapes", "Beats of each class, by lead"
    shaped = tables.shaped.assign(
        database=[database_of(record, group) for record, group in zip(tables.shaped["record"], tables.shaped["group"],
                                                                      strict=True)]
    )  # fmt: skip
    rows = [
        (database, lead)
        for database, of in shaped.groupby("database", sort=False)
        for lead in of["lead"].value_counts().index[:_LEADS]
    ]
    classes = [aami for aami in AAMI_CLASSES if (shaped["aami"] == aami).sum() >= _FEWEST]
    if not classes:
        return Section(key, title, f"No class has {_FEWEST} beats in readable signal: no median to draw.")
    figure = Figure((2.15 * len(classes) + 0.7, 1.55 * len(rows) + 0.7), layout="constrained")
    axes = figure.subplots(len(rows), len(classes), sharex=True, sharey="row", squeeze=False)
    time_ms = np.arange(features.SHAPE.start, features.SHAPE.stop) * (1000 / RATE)
    for (database, lead), line in zip(rows, axes, strict=True):
        line[0].set_ylabel(f"{database} {lead}", fontsize=9, parse_math=False)
        for aami, ax in zip(classes, line, strict=True):
            own = (shaped["database"] == database) & (shaped["lead"] == lead) & (shaped["aami"] == aami)
            if own.sum() >= _FEWEST:
                draw.beat_shape(ax, time_ms, tables.shapes[own], aami)
            else:
                draw.tidy(ax, "")
                few = plural(int(own.sum()), "beat") if own.any() else "none"
                ax.text(0.5, 0.5, few, transform=ax.transAxes, ha="center", fontsize=8, color="#6e6e6e")
    for aami, ax in zip(classes, axes[0], strict=True):
        ax.set_title(aami, fontsize=10, color=draw.PALETTE[aami], weight="bold")
    figure.supxlabel("ms from R", fontsize=9)
    return Section(key, title, _shape_text(tables), figure)


def _shape_text(tables: Tables) -> str:
    text = f"Line: median; bands: half and nine tenths of the beats (at most {KEPT} of a class a record, their number "
    text += "in the corner), in the conditioned signal that models see, QRS complexes about 2 from peak to peak."
    medians = tables.beats.groupby("aami")[["width_ms", "likeness"]].median().dropna()
    if "N" in medians.index and len(medians) > 1:
        others = [aami for aami in AAMI_CLASSES if aami in medians.index and aami != "N"]
        widths = listed([f"{aami} {medians.loc[aami, 'width_ms']:.0f}" for aami in others])
        alike = listed([f"{aami} {medians.loc[aami, 'likeness']:.2f}" for aami in others])
        text += f" Median width at half height is {medians.loc['N', 'width_ms']:.0f} ms in N ({widths}), median "
        text += f"likeness to the record's own median beat {medians.loc['N', 'likeness']:.2f} ({alike}): what tells "
        text += "a class apart is seen best beside the patient's usual beat."
    return text


def strips(tables: Tables, data_dir: Path | None) -> Section:
    """Normal and abnormal rhythm of one patient side by side, for each abnormal class."""
    key, title = "strips", "Normal and abnormal, side by side"
    chosen = _choose(tables)
    if not chosen:
        return Section(
            key, title, "No record has both a readable 5 s of normal beats only and one with an abnormal beat."
        )
    pairs, said = [], []
    for aami, record, normal_s, abnormal_s in chosen:
        recording = _marked(tables, record, data_dir)
        here = tables.beats[tables.beats["record"] == record]
        n = int((_interval(here, abnormal_s)["aami"] == aami).sum())
        name = short(record)
        pairs.append(
            (
                draw.Strip(recording, normal_s, f"{name}   {clock(normal_s)}   normal beats only"),
                draw.Strip(recording, abnormal_s, f"{name}   {clock(abnormal_s)}   {plural(n, f'{aami} beat')}"),
            )
        )
        said.append(f"{plural(n, f'{aami} beat')} in {name} from {clock(abnormal_s)}")
    text = f"Left, 5 s of normal beats; right, 5 s of the same patient with {listed(said)}. "
    text += "Letters are AAMI classes; abnormal complexes are coloured on the first lead."
    return Section(key, title, text, draw.strip_pairs(pairs, INTERVAL_S))


def _choose(tables: Tables) -> list[tuple[str, str, float, float]]:
    """For each abnormal class: class, record, start of a normal and of an abnormal interval; new records first."""
    beats = tables.trained_on(tables.beats)
    chosen: list[tuple[str, str, float, float]] = []
    for aami in ABNORMAL_CLASSES:
        counts = beats.loc[beats["aami"] == aami, "record"].value_counts()
        seen = [row[1] for row in chosen]
        for record in sorted(counts.index, key=lambda record: (record in seen, -counts[record], record)):
            found = _intervals(beats[beats["record"] == record], aami)
            if found:
                chosen.append((aami, record, *found))
                break
    return chosen


def _intervals(beats: pd.DataFrame, aami: str) -> tuple[float, float] | None:
    """Starts of the interval with the usual number of beats of the class, and of the normal one nearest to it."""
    interval = (beats["time_s"] // INTERVAL_S).astype(int)
    of = beats.assign(own=beats["aami"] == aami, usual=beats["aami"] == "N").groupby(interval)
    table = of.agg(n=("own", "size"), own=("own", "sum"), usual=("usual", "sum"), quality=("quality", "min"))
    table = table[table["quality"] >= _GOOD]
    normal = table[(table["usual"] == table["n"]) & (table["n"] > 1)]
    mixed = table[(table["own"] > 0) & (table["usual"] > 0) & (table["own"] + table["usual"] == table["n"])]
    if normal.empty or mixed.empty:
        return None
    abnormal = (mixed["own"] - mixed["own"].median()).abs().idxmin()
    nearest = normal.index[np.abs(normal.index - abnormal).argmin()]
    return float(nearest * INTERVAL_S), float(abnormal * INTERVAL_S)


def _interval(beats: pd.DataFrame, start_s: float) -> pd.DataFrame:
    return beats[(beats["time_s"] >= start_s) & (beats["time_s"] < start_s + INTERVAL_S)]


def _marked(tables: Tables, record: str, data_dir: Path | None) -> Recording:
    """The recording, its first two leads, with the classes of its beats as annotations."""
    source = tables.records.set_index("record").loc[record, "source"]
    recording = read(source, data_dir=data_dir)
    own = tables.beats[tables.beats["record"] == record]
    empty = np.full(len(own), "", dtype=str)
    marks = Annotations(own["sample"].to_numpy(), own["aami"].to_numpy(dtype=str), empty)
    return replace(recording.select(recording.leads[:2]), annotations=marks)

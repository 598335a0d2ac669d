"""Sections on rhythm and simple features: RR intervals, heart rate, prematurity, what goes with what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ectopy.evaluation import features
from ectopy.figures import eda as draw
from ectopy.recording import AAMI_CLASSES
from ectopy.reports.eda.tables import KEPT, Tables
from ectopy.reports.section import Section, by, listed, percent, plural

if TYPE_CHECKING:
    import pandas as pd

EARLY = 0.9  # prematurity below which a beat comes early
_FEWEST = 20  # S beats of which a share says something
_FEATURES = {
    "rr_s": "RR before",
    "rr_next_s": "RR after",
    "prematurity": "prematurity",
    "amplitude_mv": "amplitude",
    "width_ms": "width",
    "likeness": "likeness",
    "quality": "quality",
    "abnormal": "abnormal",
}


def rhythm(tables: Tables) -> Section:
    """RR intervals by class, heart rate by set."""
    from matplotlib.figure import Figure

    key, title = "rr-and-heart-rate", "RR intervals and heart rate"
    by_class = _by_class(tables.beats, "rr_s")
    if not by_class:
        return Section(key, title, "No two beats in a row: no RR interval.")
    rate = 60 / tables.beats["rr_s"]
    low, middle, high = rate.quantile([0.05, 0.5, 0.95])
    medians = listed([f"{np.median(column):.2f} s before {aami}" for aami, column in by_class.items()])
    text = f"Median RR interval: {medians}. The momentary heart rate is {middle:.0f} beats/min in the median, "
    text += f"{low:.0f} to {high:.0f} in nine tenths of beats."
    unknown = int(tables.beats["rr_s"].isna().sum()) - tables.beats["record"].nunique()
    if unknown:
        text += f" Left out: {plural(unknown, 'interval')} of more than {features.LONGEST_RR_S:g} s (flutter, pauses)."
    figure = Figure((11, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    draw.densities(left, by_class, draw.PALETTE, (0.2, 1.8))
    left.set_xlabel("RR interval before the beat, s")
    compared = tables.beats[tables.beats["group"].isin(tables.compared)]
    draw.densities(
        right,
        by(compared.assign(rate=60 / compared["rr_s"]), "group", "rate"),
        draw.set_colours(tables.groups),
        (30, 160),
        draw.set_lines(tables.groups),
    )
    right.set_xlabel("heart rate, beats/min")
    return Section(key, title, text, figure)


def prematurity(tables: Tables) -> Section:
    """How early beats of each class come."""
    from matplotlib.figure import Figure

    key, title = "prematurity", "Prematurity against class"
    by_class = _by_class(tables.beats, "prematurity")
    if not by_class:
        return Section(key, title, "Too few beats in a row: no prematurity.")
    early = {aami: float((column < EARLY).mean()) for aami, column in by_class.items()}
    text = "Prematurity is the RR interval before a beat over the median of the ten before it. Below "
    text += f"{EARLY:g} lie {listed([f'{percent(share)} of {aami}' for aami, share in early.items()])}"
    if "N" in by_class and len(by_class.get("S", ())) >= _FEWEST:
        late = percent(1 - early["S"])
        among = sum(early[aami] * len(by_class[aami]) for aami in early)
        share = early["N"] * len(by_class["N"]) / among if among else 0.0
        text += f": {late} of S beats are not early, and {percent(share)} of all early beats are N, so prematurity "
        text += "alone does not find S."
    else:
        text += "."
    figure = Figure((11, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    draw.densities(left, by_class, draw.PALETTE, (0.3, 1.7))
    left.axvline(EARLY, color="#8c8c8c", lw=0.8)
    left.set_xlabel("prematurity (1 = on time)")
    draw.boxes(right, tables.beats, "aami", "prematurity", AAMI_CLASSES, draw.PALETTE)
    right.axhline(EARLY, color="#8c8c8c", lw=0.8)
    right.set(xlabel="AAMI class", ylabel="prematurity: half and nine tenths", ylim=(0.3, 1.7))
    return Section(key, title, text, figure)


def correlation(tables: Tables) -> Section:
    """What simple features say of each other and of the class."""
    from matplotlib.figure import Figure

    key, title = "correlation", "Correlation of simple features"
    rows = tables.trained_on(tables.shaped)
    beats = tables.beats.loc[rows.loc[rows["place"] == 0, "beat"].unique()]
    beats = beats[beats["aami"] != "Q"].assign(abnormal=lambda table: (table["aami"] != "N").astype(float))
    table = beats[list(_FEATURES)].rename(columns=_FEATURES)
    table = table.loc[:, table.nunique() > 1]
    if len(table) < 10 or table.shape[1] < 3:
        return Section(key, title, "Too few beats to correlate features.")
    matrix = table.corr(method="spearman")
    pairs = matrix.where(np.tril(np.ones(matrix.shape, bool), -1)).stack()
    between = pairs[[not {"abnormal"} & set(pair) for pair in pairs.index]]
    one, other = between.abs().idxmax()
    text = f"Strongest between features: {one} and {other} ({between[(one, other)]:+.2f})."
    if "abnormal" in matrix:
        with_class = matrix["abnormal"].drop("abnormal").dropna()
        order = with_class.abs().sort_values(ascending=False).index[:2]
        text += f" With the class abnormal: {listed([f'{name} ({with_class[name]:+.2f})' for name in order])}."
    text += f" At most {KEPT} beats of a class a record{', training patients only' if tables.has_training else ''}."
    figure = Figure((8, 5.2), layout="constrained")
    draw.correlations(figure.subplots(), matrix)
    return Section(key, title, text, figure)


def _by_class(beats: pd.DataFrame, value: str) -> dict[str, np.ndarray]:
    found = by(beats[beats[value].notna()], "aami", value)
    return {aami: found[aami] for aami in AAMI_CLASSES if aami in found}

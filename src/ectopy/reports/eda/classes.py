"""Sections on the classes: how many beats of each, by record and set, what weights follow, who holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ectopy.figures import eda as draw
from ectopy.recording import AAMI_CLASSES, ABNORMAL_CLASSES
from ectopy.reports.eda.tables import Tables
from ectopy.reports.section import Section, listed, percent, plural, short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_CLASSES = list(AAMI_CLASSES)
_PATIENTS = 3  # below which it goes without saying that one of them weighs
_ROWS = 50  # records a column has room for
_SCARCE = 100  # beats in training below which no weight makes up for a class


def by_record(tables: Tables) -> Section:
    """Class counts, a row a record."""
    key, title = "counts-by-record", "Class counts by record"
    records = tables.records
    total = records[_CLASSES].sum()
    if not total.sum():
        return Section(key, title, "No beats: nothing to count.")
    most = []
    for aami in ABNORMAL_CLASSES:
        if total[aami]:
            top = records.loc[records[aami].idxmax()]
            most.append(f"{aami} in {short(top['record'])} ({top[aami]:,} of {total[aami]:,})")
    text = f"{percent(total['N'] / total.sum())} of {plural(int(total.sum()), 'beat')} are N."
    if most and len(records) > 1:
        without = int((records[list(ABNORMAL_CLASSES)].sum(axis=1) == 0).sum())
        text += f" The record with most beats of each class: {listed(most)}; no abnormal beat at all in "
        text += f"{without} of {len(records)} records."
    maps = {}
    for group in tables.groups:
        own = records[records["group"] == group]
        if len(own) > _ROWS:
            own = own.loc[own[list(ABNORMAL_CLASSES)].sum(axis=1).nlargest(_ROWS).index].sort_index()
            text += f" Of {group}, the {_ROWS} records with most abnormal beats are drawn."
        maps[group] = own.set_index(own["record"].map(short))[_CLASSES]
    return Section(key, title, text, _count_maps(maps, int(records[_CLASSES].to_numpy().max())))


def _count_maps(maps: dict[str, pd.DataFrame], most: int) -> Figure:
    """Groups side by side, small ones below each other, with cells of one size."""
    from matplotlib.figure import Figure

    cell, width, head, left = 0.19, 2.35, 0.62, 0.75  # inches
    room = max(head + cell * len(table) for table in maps.values())
    columns: list[list[str]] = []
    used: list[float] = []
    for group, table in maps.items():
        need = head + cell * len(table)
        fits = next((i for i, taken in enumerate(used) if taken + need <= room), None)
        if fits is None:
            columns.append([group])
            used.append(need)
        else:
            columns[fits].append(group)
            used[fits] += need
    figure = Figure(((width + left) * len(columns), room + 0.1))
    across, down = figure.get_size_inches()
    for i, column in enumerate(columns):
        top = 0.0
        for group in column:
            height = cell * len(maps[group])
            box = (i * (width + left) + left, down - top - head - height, width - 0.05, height)
            ax = figure.add_axes((box[0] / across, box[1] / down, box[2] / across, box[3] / down))
            draw.count_map(ax, maps[group], most)
            ax.set_title(f"{group} ({plural(len(maps[group]), 'record')})", fontsize=9, pad=14)
            top += head + height
    return figure


def balance(tables: Tables) -> Section:
    """Class counts by set, and the weights that make classes count alike."""
    from matplotlib.figure import Figure

    key, title = "imbalance", "Imbalance, and the class weights that follow"
    counts = tables.records.groupby("group", sort=False)[_CLASSES].sum().T
    trained = tables.trained_on(tables.records)[_CLASSES].sum()
    trained = trained[trained > 0]
    if trained.empty:
        return Section(key, title, "No beats: no class to weigh.")
    if trained.min() == trained.max():
        return Section(key, title, f"No class is rarer than another (there is {listed(trained.index)}): none to weigh.")
    weights = class_weights(trained)
    rarest = trained.idxmin()
    where = "In the training records" if tables.has_training else "Here"
    text = f"{where} the rarest class, {rarest}, has {plural(int(trained[rarest]), 'beat')} against "
    text += f"{trained.max():,} of {trained.idxmax()}: for classes to count alike, a beat of {rarest} must weigh "
    text += f"{_weight(weights.loc[rarest, 'balanced'])} and one of {trained.idxmax()} "
    text += f"{_weight(weights.loc[trained.idxmax(), 'balanced'])}; the square root "
    text += f"({_weight(weights.loc[rarest, 'square root'])}) is the milder choice."
    scarce = [f"{aami} ({trained[aami]:,})" for aami in trained.index if trained[aami] < _SCARCE]
    if scarce:
        text += f" Under {_SCARCE} beats, as of {listed(scarce)}, no weight makes up for what was never seen."
    figure = Figure((11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.6, 1))
    draw.class_bars(left, counts)
    draw.weight_bars(right, weights)
    right.set_ylabel("weight in training (logarithmic)" if tables.has_training else "weight (logarithmic)")
    return Section(key, title, text, figure, _weight_table(trained, weights))


def class_weights(counts: pd.Series) -> pd.DataFrame:
    """The weight of a beat of each class, (n beats) / (n classes * n beats of the class), and its square root."""
    import pandas as pd

    balanced = counts.sum() / (len(counts) * counts)
    return pd.DataFrame({"balanced": balanced, "square root": np.sqrt(balanced)})


def _weight_table(counts: pd.Series, weights: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "class": counts.index,
            "beats": [f"{n:,}" for n in counts],
            "share": [percent(n / counts.sum()) for n in counts],
            "balanced weight": [_weight(weight) for weight in weights["balanced"]],
            "square root": [_weight(weight) for weight in weights["square root"]],
        }
    )


def _weight(weight: float) -> str:
    return f"{weight:,.0f}" if weight >= 100 else f"{weight:.3g}"


def one_patient(tables: Tables) -> Section:
    """The share of each patient in the abnormal beats of a set."""
    from matplotlib.figure import Figure

    key, title = "one-patient", "How much one patient weighs"
    rows, heavy = {}, []
    for group, records in tables.records.groupby("group", sort=False):
        if records["patient"].nunique() < _PATIENTS:
            continue
        for aami in ABNORMAL_CLASSES:
            own = records.set_index(records["record"].map(short))[aami]
            if own.sum():
                rows[f"{group}  {aami}"] = own
                if own.sum() >= _SCARCE and own.max() >= own.sum() / 2:
                    heavy.append(
                        f"{own.idxmax()} holds {own.max():,} of the {own.sum():,} {aami} beats of {group} "
                        f"({percent(own.max() / own.sum())}; {own.sum() - own.max():,} without it)"
                    )
    if not rows:
        return Section(key, title, f"Nothing to compare: no set has abnormal beats and {_PATIENTS} patients or more.")
    text = f"{listed(heavy)}: " if heavy else f"No patient holds half of a class of {_SCARCE} beats or more; still, "
    text += (
        "a figure for a class may be one for a single patient, so sets are reported with and without such a one, and "
    )
    text += "intervals are drawn over patients, not beats."
    figure = Figure((10, 0.42 * len(rows) + 0.8), layout="constrained")
    draw.patient_parts(figure.subplots(), rows)
    return Section(key, title, text, figure)

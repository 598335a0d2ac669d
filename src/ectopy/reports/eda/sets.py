"""Sections that set one set of records against another: DS1 and DS2, mitdb and svdb."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ectopy.figures import eda as draw
from ectopy.recording import AAMI_CLASSES, ABNORMAL_CLASSES
from ectopy.reports.eda.tables import Tables
from ectopy.reports.section import Section, by, database_of, listed, percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def splits(tables: Tables) -> Section:
    """The sets of the report against each other."""
    key, title = "sets", "Set against set"
    if len(tables.compared) < 2:
        return Section(key, title, "One set of records only: nothing to compare it with.")
    return _compared(key, title, tables, tables.groups, tables.compared)


def databases(tables: Tables) -> Section:
    """The databases of the report against each other."""
    key, title = "databases", "Database against database"
    records = tables.records
    home = {
        record: database_of(record, group) for record, group in zip(records["record"], records["group"], strict=True)
    }
    tables = replace(
        tables,
        records=records.assign(group=records["record"].map(home)),
        beats=tables.beats.assign(group=tables.beats["record"].map(home)),
        seconds=tables.seconds.assign(group=tables.seconds["record"].map(home)),
    )
    if len(tables.groups) < 2:
        return Section(key, title, f"One database only ({tables.groups[0]}): nothing to compare it with.")
    return _compared(key, title, tables, tables.groups, tables.groups)


def _compared(key: str, title: str, tables: Tables, groups: list[str], names: list[str]) -> Section:
    """The first two sets against each other in words, the next two, and so on; all of `names` in the figure."""
    rates = _rates(tables.records)
    beats = tables.beats.assign(rate=60 / tables.beats["rr_s"])
    medians = beats.groupby("group", sort=False)[["rate", "amplitude_mv"]].median()
    pairs = zip(names[::2], names[1::2], strict=False)
    text = "; ".join(_in_words(one, other, rates, medians) for one, other in pairs)
    text += ". What differs here, a model trained on one meets anew in the other."
    figure = _figure(rates[names], beats[beats["group"].isin(names)], groups)
    return Section(key, title, text, figure, _table(tables, rates, medians))


def _in_words(one: str, other: str, rates: pd.DataFrame, medians: pd.DataFrame) -> str:
    parts = [
        f"{aami} {rates.loc[aami, one]:.1f} against {rates.loc[aami, other]:.1f}"
        for aami in ABNORMAL_CLASSES
        if rates.loc[aami, [one, other]].any()
    ]
    text = f"{one} against {other}: {listed(parts) or 'none abnormal'} of 1,000 beats"
    for column, what, unit, digits in (("rate", "heart rate", "beats/min", 0), ("amplitude_mv", "QRS", "mV", 2)):
        pair = medians[column].reindex([one, other])
        if pair.notna().all():
            text += f", median {what} {pair[one]:.{digits}f} against {pair[other]:.{digits}f} {unit}"
    return text


def _rates(records: pd.DataFrame) -> pd.DataFrame:
    """Beats of each abnormal class among 1,000 beats: a row a class, a column a set."""
    counts = records.groupby("group", sort=False)[list(AAMI_CLASSES)].sum()
    return (1000 * counts[list(ABNORMAL_CLASSES)].div(counts.sum(axis=1).clip(lower=1), axis=0)).T


def _figure(rates: pd.DataFrame, beats: pd.DataFrame, groups: list[str]) -> Figure:
    from matplotlib.figure import Figure

    colours, lines = draw.set_colours(groups), draw.set_lines(groups)
    figure = Figure((11, 7), layout="constrained")
    (share, rate), (early, size) = figure.subplots(2, 2)
    draw.rate_bars(share, rates, colours)
    draw.densities(rate, by(beats, "group", "rate"), colours, (30, 160), lines)
    rate.set_xlabel("heart rate, beats/min")
    ectopic = beats[beats["aami"] == "S"]
    draw.densities(early, by(ectopic, "group", "prematurity"), colours, (0.3, 1.7), lines)
    early.set_xlabel("prematurity of S beats")
    draw.densities(size, by(beats, "group", "amplitude_mv"), colours, (0, 5), lines)
    size.set_xlabel("QRS amplitude in the first lead, mV")
    return figure


def _table(tables: Tables, rates: pd.DataFrame, medians: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    of = tables.records.groupby("group", sort=False)
    beats = of[list(AAMI_CLASSES)].sum().sum(axis=1)
    first = tables.seconds[tables.seconds["place"] == 0]
    readable = (first["state"] == "good").groupby(first["group"]).mean()
    rows = [
        {
            "set": name,
            "records": f"{len(own)}",
            "patients": f"{own['patient'].nunique()}",
            "hours": f"{own['hours'].sum():.1f}",
            "beats": f"{beats[name]:,}",
            **{f"{aami} in 1,000": f"{rates.loc[aami, name]:.1f}" for aami in ABNORMAL_CLASSES},
            "heart rate": f"{medians['rate'].get(name, float('nan')):.0f}",
            "amplitude, mV": f"{medians['amplitude_mv'].get(name, float('nan')):.2f}",
            "readable": percent(readable.get(name, 0.0)),
        }
        for name, own in of
    ]
    return pd.DataFrame(rows).replace("nan", "-")

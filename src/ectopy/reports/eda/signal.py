"""Sections on the signal: amplitude, quality, what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ectopy.figures import eda as draw
from ectopy.recording import AAMI_CLASSES
from ectopy.reports.eda.tables import STATES, Tables
from ectopy.reports.section import Section, by, percent, plural, short
from ectopy.signal import READABLE

if TYPE_CHECKING:
    import pandas as pd

_WORST = 20  # leads listed by what can't be read of them


def amplitude(tables: Tables) -> Section:
    """QRS amplitude by class and by record."""
    from matplotlib.figure import Figure

    key, title = "amplitude", "Amplitude of QRS complexes"
    beats = tables.beats[tables.beats["amplitude_mv"].notna()]
    if beats.empty:
        return Section(key, title, "No amplitude: no beat in a calibrated first lead.")
    table = beats.groupby(["group", "record"], sort=False)["amplitude_mv"].quantile([0.05, 0.5, 0.95]).unstack()
    table = table.set_axis(["low", "middle", "high"], axis=1).reset_index()
    least, most = table.loc[table["middle"].idxmin()], table.loc[table["middle"].idxmax()]
    if len(table) > 1:
        text = f"A record's median lies between {least['middle']:.2f} mV ({short(least['record'])}) and "
        text += f"{most['middle']:.2f} mV ({short(most['record'])}). Which record it is explains "
        by_record, by_class = _explained(beats, "record"), _explained(beats, "aami")
        text += f"{percent(by_record)} of the variance, the beat's class {percent(by_class)}"
        text += ": size tells patients apart, so the gain is normalised." if by_record > by_class else "."
    else:
        text = f"The median beat measures {most['middle']:.2f} mV; nine tenths of beats lie between "
        text += f"{most['low']:.2f} and {most['high']:.2f} mV."
    figure = Figure((11 if len(table) > 1 else 4.5, 3.8), layout="constrained")
    left, *right = figure.subplots(1, 2, width_ratios=(1, 1.6)) if len(table) > 1 else [figure.subplots()]
    draw.boxes(left, beats, "aami", "amplitude_mv", AAMI_CLASSES, draw.PALETTE)
    left.set(xlabel="AAMI class", ylabel="peak to peak, first lead, mV", ylim=(0, None))
    for ax in right:
        draw.ranges(ax, table, draw.set_colours(tables.groups))
        ax.set(xlabel="records, by their median", ylabel="median and nine tenths, mV", ylim=(0, None))
    return Section(key, title, text, figure)


def _explained(beats: pd.DataFrame, by: str) -> float:
    """The share of the amplitude's variance that lies between the means of groups."""
    size = beats["amplitude_mv"]
    spread = float(((size - size.mean()) ** 2).sum())
    within = float(((size - beats.groupby(by)["amplitude_mv"].transform("mean")) ** 2).sum())
    return 1 - within / spread if spread else 0.0


def quality(tables: Tables) -> Section:
    """How good the signal is, second by second."""
    from matplotlib.figure import Figure

    key, title = "quality", "Signal quality"
    seconds = tables.seconds
    if seconds.empty:
        return Section(key, title, "No whole second of signal: no quality.")
    first = seconds[seconds["place"] == 0]
    means = first.groupby("record")["quality"].mean()
    text = (
        f"Quality is below {READABLE:g}, where nothing is judged, in {percent((first['quality'] < READABLE).mean())} "
    )
    text += "of seconds of the first lead"
    if seconds["place"].max():
        others = seconds[seconds["place"] > 0]
        text += f" and {percent((others['quality'] < READABLE).mean())} of the others"
    text += "."
    if len(means) > 1:
        text += f" The lowest mean of a record is {means.min():.2f} ({short(means.idxmin())}), the median record has "
        text += f"{means.median():.2f}."
    figure = Figure((11, 3.8), layout="constrained")
    places = [place for place in (0, 1) if (seconds["place"] == place).any()]
    for place, ax in zip(places, figure.subplots(1, len(places), sharey=True, squeeze=False)[0], strict=True):
        own = seconds[seconds["place"] == place]
        groups = tables.groups
        draw.cumulative(ax, by(own, "group", "quality"), draw.set_colours(groups), draw.set_lines(groups))
        ax.axvline(READABLE, color="#8c8c8c", lw=0.8)
        ax.set(xlabel="quality of a second", title="first lead" if place == 0 else "second lead", xlim=(0, 1))
    # most seconds are perfect: the rest is what can be told apart
    below = seconds.groupby(["group", "place"])["quality"].apply(lambda column: float((column < 0.99).mean()))
    ax.set_ylim(0, min(1.0, max(1.25 * float(below.max()), 0.01)))
    return Section(key, title, text, figure)


def missing(tables: Tables) -> Section:
    """What is not there, flat or too noisy to read."""
    from matplotlib.figure import Figure

    key, title = "missing", "Missing, flat and noisy"
    absent, samples = int(tables.missing["missing"].sum()), int(tables.missing["samples"].sum())
    text = f"{f'{absent:,}' if absent else 'None'} of {samples:,} samples {'are' if absent else 'is'} missing; "
    share = tables.seconds["state"].value_counts(normalize=True).reindex(STATES, fill_value=0.0)
    text += f"{percent(share['flat'])} of seconds are flat (a constant, saturated, electrode off) and "
    text += f"{percent(share['noisy'])} too noisy to read."
    shares = tables.seconds.groupby(["record", "lead"], sort=False)["state"].value_counts(normalize=True).unstack()
    shares = shares.reindex(columns=list(STATES), fill_value=0.0).fillna(0.0)
    bad = (1 - shares["good"]).sort_values(ascending=False)
    bad = bad[bad > 0]
    if bad.empty:
        return Section(key, title, text + " Every second of every lead can be read: nothing to draw.")
    record, lead = bad.index[0]
    text += f" Worst is lead {lead} of {short(record)}, {percent(bad.iloc[0])} unreadable; "
    text += f"more than 5 % is lost in {int((bad > 0.05).sum())} of {plural(len(shares), 'lead')}."
    worst = shares.loc[bad.index[:_WORST]]
    worst.index = [f"{short(record)} {lead}" for record, lead in worst.index]
    figure = Figure((9, 0.24 * len(worst) + 1), layout="constrained")
    draw.states(figure.subplots(), worst)
    return Section(key, title, text, figure, _missing_table(tables))


def _missing_table(tables: Tables) -> pd.DataFrame:
    import pandas as pd

    shares = tables.seconds.groupby("group", sort=False)["state"].value_counts(normalize=True).unstack()
    shares = shares.reindex(columns=list(STATES), fill_value=0.0).fillna(0.0)
    absent = tables.missing.groupby("group", sort=False)[["missing", "samples"]].sum().reindex(shares.index)
    columns = {f"seconds {state}": [percent(share) for share in shares[state]] for state in ("noisy", "flat")}
    gone = [percent(part) for part in absent["missing"] / absent["samples"]]
    return pd.DataFrame({"set": shares.index, **columns, "samples missing": gone})

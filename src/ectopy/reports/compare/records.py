"""Sections on patients: errors by record and entrant, and the worst records of the best model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ectopy.evaluation import Comparison
from ectopy.figures import compare as draw
from ectopy.reports.section import Section, listed, percent, plural, short

_WORST = 12
_CLASSES = ("N", "S", "V", "F", "Q")


def by_record(comparison: Comparison) -> Section:
    """The share of intervals judged wrongly, a row a record and a column an entrant."""
    from matplotlib.figure import Figure

    best = comparison.best().name
    table = pd.DataFrame({e.name: _wrong(comparison, e.name) for e in comparison.drawn})
    table = table.sort_values(best, ascending=False, kind="stable").rename(index=short)
    figure = Figure((1.6 + 1.05 * len(table.columns), 0.9 + 0.2 * len(table)), layout="constrained")
    draw.error_map(figure.subplots(), table)
    hardest = table.index[0]
    easy = [str(name) for name in table.columns if name != best and table.loc[hardest, name] < table.loc[hardest, best]]
    good = int((table[best] < 2).sum())
    text = f"Share of 5-s intervals judged wrongly, in %. {best} is worst in {hardest} "
    text += f"({table.loc[hardest, best]:.1f} %), and under 2 % in {good} of {len(table)} records."
    text += f" Better than it there: {listed(easy)}." if easy else " None of the others is better there."
    return Section("records", "By patient", text, figure)


def worst(comparison: Comparison) -> Section:
    """The records in which the best model errs most, and in what."""
    from matplotlib.figure import Figure

    best = comparison.best().name
    counts = comparison.headline(best).records
    errors = pd.DataFrame({"missed abnormal": counts["abnormal_fn"], "false abnormal": counts["abnormal_fp"]})
    total = errors.sum(axis=1)
    order = total[total > 0].sort_values(ascending=False, kind="stable").index[:_WORST]
    key, title = "worst", f"The worst records of {best}"
    if not total.sum():
        return Section(key, title, f"{best} errs in no beat.")
    figure = Figure((9, 0.8 + 0.26 * len(order)), layout="constrained")
    draw.record_bars(figure.subplots(), errors.loc[order].rename(index=short))
    share = total.loc[order[:3]].sum() / total.sum()
    text = f"{percent(float(share))} of its {int(total.sum()):,} errors in calling beats abnormal lie in "
    text += f"{listed([short(name) for name in order[:3]])}. In {short(order[0])} it "
    missed, false = errors.loc[order[0]]
    text += f"misses {plural(int(missed), 'abnormal beat')} and calls {int(false):,} that are not abnormal."
    return Section(key, title, text, figure, _table(comparison, best, order))


def _table(comparison: Comparison, name: str, order: pd.Index) -> pd.DataFrame:
    outcomes = comparison.outcomes(name)
    rows = []
    for record in order:
        own = outcomes[outcomes["record"] == record]
        wrong = own[(own["truth"] != own["called"]) & (own["truth"] != "Q")]
        kinds = (wrong["truth"] + " as " + wrong["called"]).str.replace(" as missed", " missed").value_counts()
        counts = own["truth"].value_counts()
        beats = {aami: f"{counts.get(aami, 0):,}" for aami in _CLASSES}
        common = ", ".join(f"{kind} {n:,}" for kind, n in kinds.head(3).items())
        rows.append({"record": short(record), **beats, "most of its mistakes": common})
    return pd.DataFrame(rows)


def _wrong(comparison: Comparison, name: str) -> pd.Series:
    counts = comparison.headline(name).records
    parts = {kind: counts[f"interval_{kind}"] for kind in ("tp", "fp", "fn", "tn")}
    total = sum(parts.values(), start=pd.Series(0, index=counts.index))
    return (100 * (parts["fp"] + parts["fn"]) / total.where(total > 0, np.nan)).astype(float)

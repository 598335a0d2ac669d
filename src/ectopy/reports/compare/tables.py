"""The numbers of the comparison: as tables of words, as JSON, and the choice of the default model."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from ectopy.evaluation import WITHIN_US, Comparison, Cost, Entrant, called, markdown
from ectopy.reports.section import listed
from ectopy.verdict import DEFAULT_MODEL

# figure -> its heading, in the order of the README's table
MAIN = {
    "interval.abnormal.f1": "interval F1",
    "interval.abnormal.auprc": "interval AUPRC",
    "interval.false_alarms.per_hour": "false alarms/h",
    "beat.abnormal.f1": "abnormal-beat F1",
    "beat.V.f1": "V F1",
    "beat.S.f1": "S F1",
}
_INTERVALS = {
    "interval.abnormal.accuracy": "accuracy",
    "interval.abnormal.precision": "precision",
    "interval.abnormal.recall": "recall",
    "interval.abnormal.f1": "F1",
    "interval.abnormal.auroc": "AUROC",
    "interval.readable.f1": "F1, readable only",
    "interval.with_findings.f1": "F1 with findings",
    "interval.unreadable.share": "unreadable",
}
_BEATS = {
    "beat.detection.se": "found (Se)",
    "beat.detection.ppv": "true (+P)",
    "beat.abnormal.auroc": "abnormal AUROC",
    "beat.V.se": "V Se",
    "beat.V.ppv": "V +P",
    "beat.S.se": "S Se",
    "beat.S.ppv": "S +P",
    "beat.F.f1": "F F1",
}
_SHORT = {
    "interval.abnormal.f1": "interval F1",
    "beat.abnormal.f1": "abnormal F1",
    "beat.V.f1": "V F1",
    "beat.S.f1": "S F1",
}


@dataclass(frozen=True, eq=False)
class Contest:
    """All that the report is made of.

    comparisons : one for each set of records, with the same entrants
    costs, parameters : of the models, by the entrant's name
    commit, date : of the program, and of the run
    notes : what must be known beside the figures
    """

    comparisons: tuple[Comparison, ...]
    costs: dict[str, Cost]
    parameters: dict[str, int | None]
    commit: str
    date: str
    notes: tuple[str, ...]

    @property
    def entrants(self) -> tuple[Entrant, ...]:
        return self.comparisons[0].entrants

    def choice(self) -> pd.DataFrame:
        """The models by what decides which is served: a row a model, the best first.

        Columns f1 (on intervals, out of fold, as its card says; NaN if it says nothing), us (CPU a stream-second),
        within (the limit), chosen.
        """
        rows = {}
        for entrant in self.entrants:
            if entrant.name in self.costs:
                table = entrant.card.get("figures", {}).get("table", {})
                us = self.costs[entrant.name].stream_us
                f1 = table.get("interval.abnormal.f1", {}).get("value", math.nan)
                rows[entrant.name] = {"f1": f1, "us": us, "within": us <= WITHIN_US}
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["f1", "us", "within"])
        table = table.sort_values("f1", ascending=False)
        able = table.index[table["within"].astype(bool) & table["f1"].notna()]
        return table.assign(chosen=table.index == (able[0] if len(able) else ""))


def as_markdown(contest: Contest) -> str:
    """Headings and tables. The first table below a set's heading is the one for the README."""
    parts = []
    for comparison in contest.comparisons:
        first = comparison.headline(comparison.entrants[0].name)
        about = f"{len(comparison.records)} records, scored from {first.start_s / 60:.0f}:00"
        parts += [
            f"## {comparison.on}: {about}\n\n{markdown(main_rows(contest, comparison))}",
            f"### Intervals of 5 s\n\n{markdown(figure_rows_of(comparison, _INTERVALS))}",
            f"### Beats\n\n{markdown(figure_rows_of(comparison, _BEATS))}",
        ]
        if len(comparison.columns(comparison.entrants[0].name)) > 1:
            parts.append(f"### Other sets of records\n\n{markdown(set_rows(comparison))}")
        points = point_rows(comparison)
        if len(points) > 1:
            parts.append(f"### Operating points, chosen out of fold: intervals\n\n{markdown(points)}")
        parts.append(
            f"### Against {comparison.best().name}, paired over patients\n\n{markdown(paired_rows(comparison))}"
        )
    if contest.costs:
        parts.append(
            f"## Cost, and the choice of the default model\n\n{markdown(cost_rows(contest))}\n{said(contest)}\n"
        )
    notes = "".join(f"- {note}\n" for note in contest.notes)
    return f"# Comparison\n\nCommit {contest.commit[:12] or 'unknown'}, {contest.date}.\n\n{notes}\n" + "\n".join(parts)


def said(contest: Contest) -> str:
    """Which model the rule chooses by this machine's costs, and why; which is installed as the default if another."""
    table = contest.choice()
    chosen = table.index[table["chosen"]]
    rule = f"best F1 on intervals out of fold among those within {WITHIN_US:g} µs of CPU a stream-second"
    parts = [f"No model can be chosen ({rule})."]
    if len(chosen):
        row = table.loc[chosen[0]]
        parts = [f"Default model by this machine: {chosen[0]} ({rule}): {row['f1']:.3f} at {row['us']:.0f} µs."]
        if chosen[0] != DEFAULT_MODEL:
            parts.append(f"Installed as the default: {DEFAULT_MODEL}.")
    unknown = table["f1"].isna()
    slow = table[~unknown & ~table["within"].astype(bool)]
    if len(slow):
        late = [f"{name} ({one['f1']:.3f}, {one['us']:.0f} µs)" for name, one in slow.iterrows()]
        parts.append(f"Too slow: {listed(late)}.")
    if unknown.any():
        parts.append(f"No card with that figure: {listed([*table.index[unknown]])}.")
    return " ".join(parts)


def main_rows(contest: Contest, comparison: Comparison) -> list[list[str]]:
    """A row an entrant: the figures that matter with their 95 % intervals; CPU a second of signal, in whole records
    and, of models, live; parameters."""
    rows = [["", *MAIN.values(), "CPU µs/s", "live", "parameters"]]
    for entrant in comparison.entrants:
        us = comparison.cpu_s_an_hour(entrant.name) / 3600 * 1e6
        cost, size = contest.costs.get(entrant.name), contest.parameters.get(entrant.name)
        cells = [cell(comparison, entrant.name, figure) for figure in MAIN]
        live = f"{cost.stream_us:,.0f}" if cost else "–"
        rows.append([entrant.name, *cells, f"{us:,.0f}", live, f"{size:,}" if size else "–"])
    return rows


def figure_rows_of(comparison: Comparison, figures: dict[str, str]) -> list[list[str]]:
    """A row an entrant, a column a figure, with 95 % intervals."""
    body = ([e.name, *(cell(comparison, e.name, figure) for figure in figures)] for e in comparison.entrants)
    return [["", *figures.values()], *body]


def set_rows(comparison: Comparison) -> list[list[str]]:
    """A row an entrant and set of records beside the headline: without 202, without 232, whole records."""
    rows = [["", "records", *_SHORT.values()]]
    for entrant in comparison.entrants:
        for name, scores in list(comparison.columns(entrant.name).items())[1:]:
            rows.append([entrant.name, name, *(_cell(scores.figures, figure) for figure in _SHORT)])
    return rows


def point_rows(comparison: Comparison) -> list[list[str]]:
    """A row a model and operating point: what it would have called of the intervals at that threshold."""
    rows = [["", "operating point", "threshold", "recall", "precision", "false alarms/h"]]
    for entrant in comparison.entrants:
        points = entrant.card.get("operating_points", {})
        for point, one in zip(points, called(comparison.scores(entrant.name), points.values()), strict=True):
            cells = [
                f"{one.threshold:.2f}",
                f"{one.sensitivity:.3f}",
                f"{one.precision or 0:.3f}",
                f"{one.false_alarms_per_hour:.1f}" if one.normal_hours else "–",
            ]
            rows.append([entrant.name, point, *cells])
    return rows


def paired_rows(comparison: Comparison) -> list[list[str]]:
    """A row an entrant: what it has more (+) or less than the best, with the 95 % interval of the difference."""
    table = comparison.paired()
    figures = [name for name in MAIN if name in set(table["figure"])]
    rows = [["", *(MAIN[name] for name in figures)]]
    for entrant, of in table.groupby("entrant", sort=False):
        by_figure = of.set_index("figure")
        rows.append([str(entrant), *(_difference(by_figure, name) for name in figures)])
    return rows


def cost_rows(contest: Contest) -> list[list[str]]:
    """A row a model: what it costs as a live stream, and its figure out of fold."""
    heads = ["parameters", "file, kB", "CPU µs/s", "CPU s/stream-hour", "CPU ms/verdict",
             "99 %", "wait, s", "interval F1 out of fold", "default"]  # fmt: skip
    rows = [["", *heads]]
    for name, one in contest.choice().iterrows():
        cost, size = contest.costs[str(name)], contest.parameters.get(str(name))
        card = next(e.card for e in contest.entrants if e.name == name)
        rows.append([
            str(name), f"{size:,}" if size else "–", f"{card.get('bytes', 0) / 1000:,.0f}",
            f"{cost.stream_us:,.0f}", f"{cost.stream_us * 3600 / 1e6:.2f}",
            f"{cost.verdict_ms:.2f}", f"{cost.slow_verdict_ms:.2f}", f"{cost.wait_s:g}",
            "–" if math.isnan(one["f1"]) else f"{one['f1']:.3f}", "yes" if one["chosen"] else "",
        ])  # fmt: skip
    return rows


def cell(comparison: Comparison, name: str, figure: str) -> str:
    """A headline figure with its 95 % interval, in words."""
    return _cell(comparison.headline(name).figures, figure)


def as_frame(rows: list[list[str]]) -> pd.DataFrame:
    """Rows of words, the heading first, as the page prints them."""
    return pd.DataFrame(rows[1:], columns=rows[0])


def as_dict(contest: Contest) -> dict[str, Any]:
    """As plain values for JSON; NaN becomes None."""
    entrants = [
        {
            "name": e.name, "kind": e.kind, "about": e.about, "leads": e.leads, "version": e.card.get("version"),
            "sha256": e.card.get("sha256"), "protocol": e.card.get("protocol"),
            "parameters": contest.parameters.get(e.name),
            "cost": asdict(contest.costs[e.name]) if e.name in contest.costs else None,
        }
        for e in contest.entrants
    ]  # fmt: skip
    sets = {}
    for comparison in contest.comparisons:
        by_entrant = {}
        for e in comparison.entrants:
            plain = {name: scores.to_dict() for name, scores in comparison.columns(e.name).items()}
            for other in list(plain.values())[1:]:
                del other["records"]  # the same as in the headline, or less
            by_entrant[e.name] = {"cpu_s_an_hour": comparison.cpu_s_an_hour(e.name), **plain}
        paired = comparison.paired().to_dict(orient="records")
        sets[comparison.on] = {
            "records": list(comparison.records),
            "best": comparison.best().name,
            "entrants": by_entrant,
            "paired": paired,
        }
    about = {"commit": contest.commit, "date": contest.date, "notes": list(contest.notes)}
    choice = contest.choice().reset_index(names="model").to_dict(orient="records")
    plain = _plain({**about, "entrants": entrants, "sets": sets, "choice": choice})
    assert isinstance(plain, dict)
    return plain


def _cell(table: pd.DataFrame, figure: str) -> str:
    if figure not in table.index or math.isnan(table.loc[figure, "value"]):
        return "–"
    value, low, high = (_number(figure, table.loc[figure, column]) for column in ("value", "low", "high"))
    return value if math.isnan(table.loc[figure, "low"]) else f"{value} [{low}, {high}]"


def _difference(table: pd.DataFrame, figure: str) -> str:
    if figure not in table.index or math.isnan(table.loc[figure, "difference"]):
        return "–"
    numbers = (table.loc[figure, column] for column in ("difference", "low", "high"))
    digits = ".1f" if figure.endswith("per_hour") else ".3f"
    value, low, high = (f"{number:+{digits}}" for number in numbers)
    return f"{value} [{low}, {high}]"


def _number(figure: str, value: float) -> str:
    if figure.endswith("per_hour"):
        return f"{value:.1f}"
    return f"{100 * value:.2f} %" if figure.endswith(("detection.se", "detection.ppv", "share")) else f"{value:.3f}"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value

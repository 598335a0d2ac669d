"""The section on cost: CPU beside quality, size, latency, and which model is the default."""

from __future__ import annotations

import pandas as pd

from ectopy.evaluation import WITHIN_US
from ectopy.figures import compare as draw
from ectopy.reports.compare.tables import Contest, as_frame, cost_rows, said
from ectopy.reports.section import Section


def cost(contest: Contest) -> Section:
    """Quality on the first set over CPU: of models as live streams; of the others that over whole records."""
    from matplotlib.figure import Figure

    comparison = contest.comparisons[0]
    rows = {}
    for e in comparison.drawn:
        own = contest.costs.get(e.name)
        us = own.stream_us if own else comparison.cpu_s_an_hour(e.name) / 3600 * 1e6
        rows[e.name] = {"us": us, "f1": comparison.value(e.name, "interval.abnormal.f1"), "kind": e.kind}
    table = pd.DataFrame.from_dict(rows, orient="index").dropna()
    key, title = "cost", "Cost, and the default model"
    if table.empty:
        return Section(key, title, "Nothing was timed.")
    figure = Figure((9, 4.4), layout="constrained")
    names = [e.name for e in comparison.drawn]
    draw.cost_points(figure.subplots(), table, draw.entrant_colours(names), WITHIN_US)
    text = f"{said(contest)} " if contest.costs else ""
    text += "Round: models, timed in live streams of one lead fed a second at a time, on one thread; "
    text += "square: programs that need the whole record first. 'Wait' is the signal that a verdict needs after its "
    text += f"interval's end. F1 is that on {comparison.on}."
    return Section(key, title, text, figure, as_frame(cost_rows(contest)) if contest.costs else None)

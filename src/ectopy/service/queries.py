"""Parts of queries: each looks in an index for what it wants, however much there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, Table, func, select

from ectopy.service import schema
from ectopy.service.rows import EpochRow
from ectopy.verdict import INTERVAL_S


def between(table: Table, epoch: int, first: int, end: int) -> Select[Any]:
    """An epoch's chunks, or gaps, of a range, in order; none of them overlaps another."""
    t = table.c
    begin = select(func.max(t.first)).where(t.epoch == epoch, t.first <= first).scalar_subquery()
    query = select(table).where(t.epoch == epoch, t.first >= func.coalesce(begin, first), t.first < end)
    return query.order_by(t.first)


def end() -> ColumnElement[int]:
    """Index behind the last sample or gap of an epoch's log."""
    chunks, gaps = schema.chunks.c, schema.gaps.c
    return func.max(
        func.coalesce(last(chunks.first + chunks.n, chunks.epoch, chunks.first), 0),
        func.coalesce(last(gaps.first + gaps.n, gaps.epoch, gaps.first), 0),
    )


def last(
    value: ColumnElement[Any], epoch: ColumnElement[int], order: ColumnElement[int], before: int = 0
) -> ScalarSelect[Any]:
    """A value of an epoch's last row, or of one so many before it."""
    query = select(value).where(epoch == schema.epochs.c.key).order_by(order.desc())
    return query.limit(1).offset(before).correlate(schema.epochs).scalar_subquery()


def ids(epochs: Sequence[EpochRow], start_s: float, end_s: float) -> tuple[ScalarSelect[int], ScalarSelect[int]]:
    """Between which ids verdicts are that reach into these seconds: else all that came before would be read, with its
    beats."""
    t, rates = schema.verdicts.c, [float(epoch.fs) for epoch in epochs]
    earliest_s = max(start_s - INTERVAL_S, 0.0)
    least, most = (int(min(second, 2.0**53)) for second in (earliest_s * min(rates), end_s * max(rates)))
    near = t.epoch.in_([epoch.key for epoch in epochs]) & t.start.between(least - 1, most + 1)
    number = t.id + 0  # so that they are looked for by their start
    lowest, highest = (select(of(number)).where(near).scalar_subquery() for of in (func.min, func.max))
    return lowest, highest

"""What the store has: epochs, the committed log, verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, RowMapping, Select, func, select

from ectopy.service import schema
from ectopy.service.rows import AnchorRow, EpochRow, GapRow, SamplesRow
from ectopy.service.segments import Segments
from ectopy.wire import MISSING


class Reader:
    """Reads what is committed, from any thread."""

    def __init__(self, database: Engine, segments: Segments):
        self._database = database
        self._segments = segments

    def epochs(self, stream: str | None = None) -> list[EpochRow]:
        """Of a stream, or of all, the oldest first."""
        query = select(schema.epochs).order_by(schema.epochs.c.key)
        if stream is not None:
            query = query.where(schema.epochs.c.stream == stream)
        with self._database.connect() as connection:
            return [_epoch(row) for row in connection.execute(query).mappings()]

    def labels(self) -> dict[str, str | None]:
        """Each stream's."""
        with self._database.connect() as connection:
            return {row.id: row.label for row in connection.execute(select(schema.streams))}

    def end(self, epoch: int) -> int:
        """Index behind the last sample, or gap, of an epoch's log."""
        with self._database.connect() as connection:
            return max(_last(connection, table, epoch) for table in (schema.chunks, schema.gaps))

    def gaps(self, epoch: int) -> list[GapRow]:
        t = schema.gaps.c
        query = select(schema.gaps).where(t.epoch == epoch).order_by(t.first)
        with self._database.connect() as connection:
            return [GapRow(**row) for row in connection.execute(query).mappings()]

    def anchors(self, epoch: int) -> list[AnchorRow]:
        t = schema.anchors.c
        query = select(schema.anchors).where(t.epoch == epoch).order_by(t.sample)
        with self._database.connect() as connection:
            return [AnchorRow(**row) for row in connection.execute(query).mappings()]

    def log(self, epoch: int, first: int, end: int, width: int) -> Iterator[SamplesRow | GapRow]:
        """The log from `first` to `end`, in order: a piece a chunk or gap, cut to that range."""
        t = schema.chunks.c
        begin = select(t.first).where(t.epoch == epoch, t.first <= first).order_by(t.first.desc()).limit(1)
        with self._database.connect() as connection:
            start = connection.scalar(begin)
            query = select(schema.chunks).where(t.epoch == epoch, t.first >= (start or 0), t.first < end)
            chunks = connection.execute(query.order_by(t.first)).all()
            gaps = [gap for gap in self.gaps(epoch) if gap.first < end and gap.first + gap.n > first]
        entries: list[Any] = sorted([*chunks, *gaps], key=lambda entry: entry.first)
        for entry in entries:
            at, stop = max(entry.first, first), min(entry.first + entry.n, end)
            if at >= stop:
                continue
            if isinstance(entry, GapRow):
                yield GapRow(epoch, at, stop - at, entry.reason)
            else:
                place = entry.at + (at - entry.first) * width
                yield SamplesRow(epoch, at, stop - at, self._segments.read(entry.segment, place, (stop - at) * width))

    def stored(self, epoch: EpochRow, first: int, n: int) -> bytes:
        """Samples of the log in stored form; gaps come as missing."""
        form = epoch.form
        parts = []
        for entry in self.log(epoch.key, first, first + n, form.width):
            parts.append(entry.samples if isinstance(entry, SamplesRow) else missing(form.kind, entry.n, form.n_leads))
        return b"".join(parts)

    def last_verdict(self, epoch: int) -> int:
        """Start of an epoch's last verdict; -1 before the first."""
        t = schema.verdicts.c
        query = select(t.start).where(t.epoch == epoch).order_by(t.start.desc()).limit(1)
        with self._database.connect() as connection:
            start = connection.scalar(query)
        return -1 if start is None else int(start)

    def verdicts(
        self,
        *,
        epochs: list[int] | None = None,
        after: int = 0,
        limit: int,
        start_s: float | None = None,
        end_s: float | None = None,
    ) -> list[tuple[int, str]]:
        """Ids and bodies of verdicts, in the order of their ids."""
        t = schema.verdicts.c
        query: Select[Any] = select(t.id, t.body).where(t.id > after).order_by(t.id).limit(limit)
        if epochs is not None:
            query = query.where(t.epoch.in_(epochs))
        if start_s is not None:
            query = query.where(t.start_s >= start_s)
        if end_s is not None:
            query = query.where(t.start_s < end_s)
        with self._database.connect() as connection:
            return [(row.id, row.body) for row in connection.execute(query)]

    def newest_verdict(self) -> int:
        """The largest id of all; 0 before the first."""
        with self._database.connect() as connection:
            return connection.scalar(select(func.max(schema.verdicts.c.id))) or 0

    def last_word(self, epoch: int) -> str | None:
        """The newest verdict's."""
        t = schema.verdicts.c
        with self._database.connect() as connection:
            return connection.scalar(select(t.word).where(t.epoch == epoch).order_by(t.start.desc()).limit(1))


def missing(kind: str, n: int, n_leads: int) -> bytes:
    """Samples that are not there, in stored form."""
    one: NDArray[Any] = np.full(n_leads, MISSING, "<i2") if kind == "int16" else np.full(n_leads, np.nan, "<f4")
    return one.tobytes() * n


def _last(connection: Connection, table: Any, epoch: int) -> int:
    t = table.c
    query = select(t.first, t.n).where(t.epoch == epoch).order_by(t.first.desc()).limit(1)
    row = connection.execute(query).first()
    return 0 if row is None else int(row.first + row.n)


def _epoch(row: RowMapping) -> EpochRow:
    return EpochRow(**{**row, "fs": Fraction(row["fs"]), "leads": tuple(row["leads"])})

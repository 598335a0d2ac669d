"""What the store has: epochs, the committed log, verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf
from typing import Any

from sqlalchemy import ColumnElement, Engine, RowMapping, Select, func, select

from ectopy.errors import RecordError
from ectopy.service import queries, schema
from ectopy.service.clock import KEPT
from ectopy.service.rows import AnchorRow, AnnotationRow, EpochRow, GapRow, LogRow, SamplesRow
from ectopy.service.segments import Segments
from ectopy.verdict import INTERVAL_S, Word
from ectopy.wire import AlarmOut, Choice

FINDING = "finding"  # the kind of input
_LONGEST = 2**20  # samples of a chunk: a body has no more bytes


@dataclass
class Standing:
    """Where an epoch stands.

    end : index behind the last sample or gap of its log
    given, word : start of its last verdict, and its word; -1 and None before the first
    told_s : second of the stream with which its last finding was told; 0 before the first
    anchors : the last `clock.KEPT` of them
    """

    end: int = 0
    given: int = -1
    word: Word | None = None
    told_s: float = 0.0
    anchors: list[AnchorRow] = field(default_factory=list)


class Reader:
    """Reads what is committed, from any thread."""

    def __init__(self, database: Engine, segments: Segments):
        self._database = database
        self._segments = segments

    def epochs(self, stream: str) -> list[EpochRow]:
        """Of a stream, the oldest first."""
        return self._epochs(schema.epochs.c.stream == stream)

    def current(self) -> list[EpochRow]:
        """The newest of each stream, and those that are not judged to their end; the oldest first."""
        t = schema.epochs.c
        return self._epochs(t.key.in_(select(func.max(t.key)).group_by(t.stream)) | ~t.judged)

    def known(self) -> dict[str, tuple[str | None, Choice | None]]:
        """Each stream's label, and what its next epochs are judged by."""
        with self._database.connect() as connection:
            return {row.id: (row.label, _choice(row.choice)) for row in connection.execute(select(schema.streams))}

    def end(self, epoch: int) -> int:
        """Index behind the last sample, or gap, of an epoch's log."""
        with self._database.connect() as connection:
            return connection.scalar(select(queries.end()).where(schema.epochs.c.key == epoch)) or 0

    def gaps(self, epoch: int) -> list[GapRow]:
        t = schema.gaps.c
        query = select(schema.gaps).where(t.epoch == epoch).order_by(t.first)
        with self._database.connect() as connection:
            return [GapRow(**row) for row in connection.execute(query).mappings()]

    def standing(self, epochs: Sequence[int]) -> dict[int, Standing]:
        """Where epochs stand: a thousand at once take as long as ten one by one."""
        verdicts = schema.verdicts.c
        query = select(
            schema.epochs.c.key,
            queries.end(),
            func.coalesce(queries.last(verdicts.start, verdicts.epoch, verdicts.start), -1),
            queries.last(verdicts.word, verdicts.epoch, verdicts.start),
            func.coalesce(
                select(schema.alarm_log.c.told_s)
                .where(
                    schema.alarm_log.c.stream == schema.epochs.c.stream,
                    schema.alarm_log.c.epoch == schema.epochs.c.number,
                    schema.alarm_log.c.kind == FINDING,
                )
                .order_by(schema.alarm_log.c.id.desc())
                .limit(1)
                .scalar_subquery(),
                0.0,
            ),
        ).where(schema.epochs.c.key.in_(epochs))
        anchors, key = schema.anchors.c, schema.epochs.c.key
        since = queries.last(anchors.sample, anchors.epoch, anchors.sample, before=KEPT - 1)
        anchor_rows = (
            select(schema.anchors)
            .select_from(schema.epochs)
            .join(schema.anchors, (anchors.epoch == key) & (anchors.sample >= func.coalesce(since, 0)))
            .where(key.in_(epochs))
            .order_by(key, anchors.sample)
        )
        with self._database.connect() as connection:
            found = {key: Standing(*rest) for key, *rest in connection.execute(query)}
            for anchor in connection.execute(anchor_rows):
                found[anchor.epoch].anchors.append(AnchorRow(*anchor))
        return found

    def anchor(self, epoch: int, sample: int) -> AnchorRow | None:
        """The last anchor of an epoch at or before a sample."""
        t = schema.anchors.c
        query = select(schema.anchors).where(t.epoch == epoch, t.sample <= sample).order_by(t.sample.desc()).limit(1)
        with self._database.connect() as connection:
            row = connection.execute(query).first()
        return AnchorRow(*row) if row else None

    def log(self, epoch: int, first: int, end: int, width: int) -> Iterator[SamplesRow | GapRow]:
        """The log from `first` to `end`, in order: a piece a chunk or gap, cut to that range."""
        with self._database.connect() as connection:
            chunks = connection.execute(queries.between(schema.chunks, epoch, first, end)).all()
            gaps = [GapRow(*row) for row in connection.execute(queries.between(schema.gaps, epoch, first, end))]
        entries: list[Any] = sorted([*chunks, *gaps], key=lambda entry: entry.first)
        cut = [(entry, max(entry.first, first), min(entry.first + entry.n, end)) for entry in entries]
        wanted = [(entry, at, stop) for entry, at, stop in cut if at < stop]
        contents = self._segments.read(
            (entry.segment, entry.at + (at - entry.first) * width, (stop - at) * width)
            for entry, at, stop in wanted
            if not isinstance(entry, GapRow)
        )
        for entry, at, stop in wanted:
            if isinstance(entry, GapRow):
                yield GapRow(epoch, at, stop - at, entry.reason)
            else:
                yield SamplesRow(epoch, at, stop - at, next(contents))

    def stored(self, epoch: EpochRow, first: int, n: int) -> bytes:
        """Samples of the log in stored form; gaps come as missing.

        Raises
        ------
        RecordError
            If they are no longer kept.
        """
        form = epoch.form
        parts = []
        try:
            for entry in self.log(epoch.key, first, first + n, form.width):
                parts.append(entry.samples if isinstance(entry, SamplesRow) else form.missing(entry.n))
        except FileNotFoundError:
            raise RecordError(f"epoch {epoch.number} of '{epoch.stream}': these samples are no longer kept") from None
        return b"".join(parts)

    def late(self, epoch: int, first: int, n: int, width: int) -> list[SamplesRow]:
        """All that came late for a place, whole, in no order."""
        t = schema.late.c
        query = select(schema.late).where(t.epoch == epoch, t.first > first - _LONGEST, t.first < first + n)
        with self._database.connect() as connection:
            rows = connection.execute(query.where(t.first + t.n > first).order_by(t.segment, t.at)).all()
        contents = self._segments.read((row.segment, row.at, row.n * width) for row in rows)
        return [SamplesRow(epoch, row.first, row.n, next(contents), late=True) for row in rows]

    def verdicts(
        self,
        *,
        epochs: list[EpochRow] | None = None,
        after: int = 0,
        limit: int,
        start_s: float | None = None,
        end_s: float | None = None,
        word: Word | None = None,
    ) -> list[tuple[int, str]]:
        """Ids and bodies of verdicts, in the order of their ids; in a range of time those that reach into it."""
        t = schema.verdicts.c
        query: Select[Any] = select(t.id, t.body).where(t.id > after).order_by(t.id).limit(limit)
        if epochs is not None:
            query = query.where(t.epoch.in_([epoch.key for epoch in epochs]))
        if start_s is not None:
            query = query.where(t.start_s > start_s - INTERVAL_S, func.json_extract(t.body, "$.end_s") > start_s)
        if end_s is not None:
            query = query.where(t.start_s < end_s)
        if epochs and (start_s is not None or end_s is not None):
            query = query.where(t.id.between(*queries.ids(epochs, start_s or 0.0, inf if end_s is None else end_s)))
        if word is not None:
            query = query.where(t.word == word)
        return self._bodies(query)

    def annotations(self, epochs: list[int], *, after: int = 0, limit: int) -> list[AnnotationRow]:
        """What people said of beats, in the order said."""
        t = schema.annotated.c
        query = select(schema.annotated).where(t.epoch.in_(epochs), t.id > after).order_by(t.id).limit(limit)
        with self._database.connect() as connection:
            return [AnnotationRow(*row) for row in connection.execute(query)]

    def newest_verdict(self) -> int:
        """The largest id of all; 0 before the first."""
        return self._newest(schema.verdicts.c.id)

    def desk(self) -> tuple[str | None, int]:
        """The alarms' state that was kept last, and the input that it includes; None and 0 where there is none."""
        with self._database.connect() as connection:
            row = connection.execute(select(schema.desk)).first()
        return (row.state, row.upto) if row else (None, 0)

    def newest_input(self) -> int:
        """The largest number of what the alarms are made of; 0 before the first."""
        return self._newest(schema.alarm_log.c.id)

    def newest_alarm(self) -> int:
        """The largest number of all alarms; 0 before the first."""
        return self._newest(schema.alarms.c.id)

    def alarm_log(self, *, after: int = 0) -> Iterator[LogRow]:
        """What the alarms are made of, in order; it may be far more than there is memory for."""
        query = select(schema.alarm_log).where(schema.alarm_log.c.id > after).order_by(schema.alarm_log.c.id)
        with self._database.connect() as connection:
            for row in connection.execute(query.execution_options(yield_per=1000)):
                yield LogRow(*row)

    def findings(
        self, stream: str, *, epoch: int | None = None, after: int = 0, limit: int, newest: bool = False
    ) -> list[tuple[int, str]]:
        """Ids and bodies of what was found, in the order told; or only the newest of them."""
        t = schema.alarm_log.c
        query = select(t.id, t.body).where(t.stream == stream, t.kind == FINDING, t.id > after)
        if epoch is not None:
            query = query.where(t.epoch == epoch)
        query = query.order_by(t.id.desc()).limit(1) if newest else query.order_by(t.id).limit(limit)
        return self._bodies(query)

    def alarm(self, alarm: int) -> AlarmOut:
        """One alarm as it stands.

        Raises
        ------
        RecordError
            If there is none of that number.
        """
        t = schema.alarms.c
        with self._database.connect() as connection:
            body = connection.scalar(select(t.body).where(t.id == alarm))
        if body is None:
            raise RecordError(f"no alarm {alarm}; GET /v1/alarms has them")
        return AlarmOut.model_validate_json(body)

    def alarms(
        self, *, only_open: bool, stream: str | None = None, after: int = 0, limit: int
    ) -> list[tuple[int, str]]:
        """Ids and bodies of alarms as they stand, in the order in which they were raised."""
        t = schema.alarms.c
        query = select(t.id, t.body).where(t.id > after)
        if only_open:
            query = query.where(t.open)
        if stream is not None:
            query = query.where(t.stream == stream)
        return self._bodies(query.order_by(t.id).limit(limit))

    def alarm_changes(
        self, *, after: int, limit: int, stream: str | None = None, newest: bool = False
    ) -> list[tuple[int, str]]:
        """Numbers and bodies of what changed of alarms, in order; or only the newest of them."""
        t = schema.alarm_changes.c
        query = select(t.id, t.body).where(t.id > after)
        if stream is not None:
            query = query.where(t.stream == stream)
        query = query.order_by(t.id.desc()).limit(1) if newest else query.order_by(t.id).limit(limit)
        return self._bodies(query)

    def newest_change(self) -> int:
        """The largest number of all changes of alarms; 0 before the first."""
        return self._newest(schema.alarm_changes.c.id)

    def _epochs(self, which: ColumnElement[bool]) -> list[EpochRow]:
        query = select(schema.epochs).where(which).order_by(schema.epochs.c.key)
        with self._database.connect() as connection:
            return [_epoch(row) for row in connection.execute(query).mappings()]

    def _bodies(self, query: Select[Any]) -> list[tuple[int, str]]:
        with self._database.connect() as connection:
            return [(row.id, row.body) for row in connection.execute(query)]

    def _newest(self, number: ColumnElement[int]) -> int:
        with self._database.connect() as connection:
            return connection.scalar(select(func.max(number))) or 0


def _epoch(row: RowMapping) -> EpochRow:
    plain = {"fs": Fraction(row["fs"]), "leads": tuple(row["leads"]), "choice": _choice(row["choice"])}
    return EpochRow(**{**row, **plain})


def _choice(body: str | None) -> Choice | None:
    return None if body is None else Choice.model_validate_json(body)

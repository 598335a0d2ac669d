"""The store: one thread that keeps what it is given, in order, and tells when it is on disk.

Whatever waits is kept as one group: the samples appended to a segment file and synced, then all rows in one
transaction, then everybody is told. A group that can't be kept (a full disk, a failing one) is tried again until it
can; meanwhile, and while a disk hangs, `trouble` says why, and nothing new is taken in.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from ectopy.service import schema
from ectopy.service.rows import (
    AlarmRow,
    AnchorRow,
    AnnotationRow,
    ChoiceRow,
    ConflictRow,
    DeskRow,
    EndRow,
    EpochRow,
    GapRow,
    JudgedRow,
    LogRow,
    NoticeRow,
    Row,
    SamplesRow,
    SnapshotRow,
    VerdictRow,
)
from ectopy.service.segments import Segments
from ectopy.service.snapshots import Snapshots
from ectopy.wire import Choice

DATABASE = "ectopy.db"  # in the folder of the data
DISK_FULL = "disk full"  # how that trouble begins
_GROUP = 2000  # entries kept at once, at most
_GATHER_S = 0.02  # that a group waits for more, where several come at a time: a commit costs what many rows do
_RETRY_S = 0.5
_LOOK_S = 1.0  # between two looks at the free space
_HANGS_S = 30.0  # that a group may take without an error
_log = logging.getLogger(__name__)
_TABLES: dict[type[Row], Table] = {  # of rows that are kept as they are
    GapRow: schema.gaps,
    AnchorRow: schema.anchors,
    ConflictRow: schema.conflicts,
    VerdictRow: schema.verdicts,
    AnnotationRow: schema.annotated,
    LogRow: schema.alarm_log,
}

Kept = Callable[[], None]


class Store:
    """Rows in, confirmations out. Reads, by `ectopy.service.reading`, may come from any thread.

    tell : called in the store's thread, once a group, with what was asked to be called when kept
    """

    def __init__(self, folder: Path, spare_bytes: int, tell: Callable[[list[Kept]], None]):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.database = schema.open_database(folder / DATABASE)
        self.segments = Segments(folder / "samples")
        self.snapshots = Snapshots(folder / "snapshots")
        self._trouble: str | None = None
        self._began_s: float | None = None  # when the group that is being kept was taken
        self.depth = 0  # entries that wait ...
        self.size = 0  # ... and bytes of samples in them
        self._spare = spare_bytes
        self._tell = tell
        self._waiting: list[tuple[Sequence[Row], Kept]] = []
        self._changed = threading.Condition()
        self._closing = False
        self._connection: Connection | None = None  # of the store's thread; a new one after it failed
        self._looked = 0.0
        with self.database.connect() as connection:
            self._verdict = connection.scalar(select(func.max(schema.verdicts.c.id))) or 0
            self._epoch = connection.scalar(select(func.max(schema.epochs.c.key))) or 0
            self._annotation = connection.scalar(select(func.max(schema.annotated.c.id))) or 0
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def trouble(self) -> str | None:
        """Why nothing new is taken in, if so."""
        began_s = self._began_s
        if self._trouble is None and began_s is not None and time.monotonic() - began_s > _HANGS_S:
            return f"the store can't write: the disk has not answered for {_HANGS_S:g} s"
        return self._trouble

    @property
    def full(self) -> bool:
        """It can write, and what is left of the disk is kept in reserve."""
        return (self._trouble or "").startswith(DISK_FULL)

    def next_epoch(self) -> int:
        """A key for a new epoch. Called from one thread only, as are `next_verdict` and `next_annotation`."""
        self._epoch += 1
        return self._epoch

    def next_verdict(self) -> int:
        self._verdict += 1
        return self._verdict

    def next_annotation(self) -> int:
        self._annotation += 1
        return self._annotation

    def keep(self, rows: Sequence[Row], kept: Kept) -> None:
        """Have rows kept, behind all that came before; `kept` is handed to `tell` when they are on disk."""
        with self._changed:
            self._waiting.append((rows, kept))
            self.depth = len(self._waiting)
            self.size += _bytes(rows)
            if self.depth == 1:
                self._changed.notify()

    def close(self) -> None:
        """Keep what waits, then stop."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()
        self._disconnect()
        self.segments.close()
        self.database.dispose()

    def _run(self) -> None:
        while True:
            self._began_s = time.monotonic()
            self._look()
            self._began_s = None
            with self._changed:
                if not self._waiting and not self._closing and not self._changed.wait(_LOOK_S):
                    continue
                group, self._waiting = self._waiting[:_GROUP], self._waiting[_GROUP:]
                self.depth = len(self._waiting)
            if not group:
                if self._closing:
                    return
                continue
            rows = [row for some, _ in group for row in some]
            with self._changed:
                self.size -= _bytes(rows)
            self._began_s = time.monotonic()
            if self._kept(rows):
                self._tell([kept for _, kept in group])
            elif self._closing:
                return  # it can't be kept: nobody was told that it was
            self._began_s = None
            if len(group) > 1 and not self._closing:
                time.sleep(_GATHER_S)

    def _kept(self, rows: list[Row]) -> bool:
        """Keep a group, however long it takes; False where the store closes before that."""
        samples = [row.samples for row in rows if isinstance(row, SamplesRow)]
        places: list[tuple[int, int]] | None = None  # of the samples, once they are written
        while True:
            try:
                if places is None:
                    places = self.segments.append(samples) if samples else []
                self._write(rows, places)
            except Exception as error:  # whatever it is: a thread that ends would leave all waiting for ever
                self._disconnect()
                self._trouble = f"the store can't write: {getattr(error, 'orig', None) or error}"
                _log.error("store fails", extra={"reason": self._trouble}, exc_info=not isinstance(error, OSError))
                with self._changed:
                    if self._closing:
                        return False
                    self._changed.wait(_RETRY_S)
            else:
                return True

    def _write(self, rows: list[Row], written: Sequence[tuple[int, int]]) -> None:
        places = iter(written)
        tables: defaultdict[Table, list[dict[str, Any]]] = defaultdict(list)
        changes: list[tuple[int, dict[str, Any]]] = []
        alarms: dict[int, AlarmRow] = {}  # as they stand in the end
        choices: dict[str, Choice | None] = {}  # likewise
        raised: set[int] = set()
        desk: DeskRow | None = None
        for row in rows:
            match row:
                case SamplesRow():
                    segment, at = next(places)
                    table = schema.late if row.late else schema.chunks
                    where = {"segment": segment, "at": at}
                    tables[table].append({"epoch": row.epoch, "first": row.first, "n": row.n, **where})
                case GapRow() | AnchorRow() | ConflictRow() | VerdictRow() | AnnotationRow() | LogRow():
                    tables[_TABLES[type(row)]].append(_columns(row))
                case EndRow():
                    changes.append((row.epoch, {"end": row.n}))
                case JudgedRow():
                    changes.append((row.epoch, {"judged": True}))
                case AlarmRow():
                    tables[schema.alarm_changes].append({"id": row.change, "stream": row.stream, "body": row.body})
                    alarms[row.alarm] = row
                    raised |= {row.alarm} if row.new else set()
                case NoticeRow():
                    waiting = {"tries": 0, "next_us": row.at_us, "state": "waiting"}
                    tables[schema.outbox].append({**_columns(row), "alarms": list(row.alarms), **waiting})
                case DeskRow():
                    desk = row
                case EpochRow():
                    plain = {"fs": str(row.fs), "leads": list(row.leads), "choice": _json(row.choice)}
                    tables[schema.epochs].append({**vars(row), **plain})
                case ChoiceRow():
                    choices[row.stream] = row.choice
        if self._connection is None:
            self._connection = self.database.connect()
        with self._connection.begin():
            connection = self._connection
            for epoch in tables[schema.epochs]:
                _keep_stream(connection, epoch)
            for table, lines in tables.items():
                if lines:
                    connection.execute(insert(table), lines)
            for key, change in changes:
                connection.execute(update(schema.epochs).where(schema.epochs.c.key == key).values(**change))
            for stream, choice in choices.items():
                t = schema.streams
                connection.execute(update(t).where(t.c.id == stream).values(choice=_json(choice)))
            for alarm, row in alarms.items():
                _keep_alarm(connection, row, new=alarm in raised)
            if desk is not None:
                connection.execute(delete(schema.desk))
                connection.execute(insert(schema.desk), {"key": 1, "upto": desk.upto, "state": desk.state})
        try:
            for row in rows:
                if isinstance(row, SnapshotRow):
                    self.snapshots.write(row)
                elif isinstance(row, JudgedRow):
                    self.snapshots.drop(row.epoch)
        except OSError as error:  # the rows are committed, and not to be kept once more; a restart replays the log
            _log.warning("no snapshot", extra={"reason": str(error)})

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(SQLAlchemyError):
                self._connection.close()
            self._connection = None

    def _look(self) -> None:
        """See, every second, whether there is room for more."""
        now = time.monotonic()
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        try:
            free = shutil.disk_usage(self.folder).free
        except OSError as error:
            self._trouble = f"the store's folder is gone: {error}"
        else:
            full = f"{DISK_FULL}: {free // 1_000_000} MB are left, {self._spare // 1_000_000} are kept in reserve"
            self._trouble = full if free < self._spare else None


def _bytes(rows: Sequence[Row]) -> int:
    return sum(len(row.samples) for row in rows if isinstance(row, SamplesRow))


def _columns(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}


def _json(choice: Choice | None) -> str | None:
    return None if choice is None else choice.model_dump_json()


def _keep_stream(connection: Connection, epoch: dict[str, Any]) -> None:
    id_, label = epoch["stream"], epoch["label"]
    known = connection.execute(select(schema.streams.c.id).where(schema.streams.c.id == id_)).first()
    if known is None:
        connection.execute(insert(schema.streams), {"id": id_, "label": label, "created_us": epoch["started_us"]})
    elif label is not None:
        connection.execute(update(schema.streams).where(schema.streams.c.id == id_).values(label=label))


def _keep_alarm(connection: Connection, row: AlarmRow, *, new: bool) -> None:
    values = {"open": row.open, "body": row.body}
    if new:
        connection.execute(insert(schema.alarms), {"id": row.alarm, "stream": row.stream, **values})
    else:
        connection.execute(update(schema.alarms).where(schema.alarms.c.id == row.alarm).values(**values))

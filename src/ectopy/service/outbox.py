"""The outbox in the database: what waits to be sent, and what became of it.

Written here at once, and not by the store's groups: the sooner it stands that a message was sent, the less a crash can
double.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, select, text, update

from ectopy.service import schema
from ectopy.service.metrics import Metrics
from ectopy.service.notify import Message, utc_us

_OLD_US = 30_000_000  # older than this nobody is told of what is over by now
_WAITING, _SENT, _OVER, _GIVEN_UP = "waiting", "sent", "over", "given up"


class StoredOutbox:
    """As `notify.Outbox` has it."""

    def __init__(self, database: Engine, metrics: Metrics):
        self._database = database
        self._outcomes = metrics.notifications

    def open(self, targets: Collection[str]) -> None:
        """Give up what waits for a target that isn't there any more."""
        t = schema.outbox.c
        change = update(schema.outbox).where(t.state == _WAITING, t.target.not_in(targets)).values(state=_GIVEN_UP)
        with self._database.begin() as connection:
            connection.execute(change)

    def waiting(self, target: str, limit: int) -> list[Message]:
        """What is not sent and not given up, in the order made, due or not; without what nobody needs to be told of
        now: after a while, an alarm that is over by then, or the end of one that they were never told of."""
        t = schema.outbox.c
        query = select(schema.outbox).where(t.state == _WAITING, t.target == target).order_by(text("rowid"))
        now_us = utc_us()
        with self._database.connect() as connection:
            rows = connection.execute(query.limit(limit)).all()
            others = [row for row in rows if row.kind != "resolved"]
            # a clock that was set back makes what is old seem to be of the future
            over = {row.key for row in others if abs(now_us - row.at_us) > _OLD_US and _is_over(connection, row)}
            over |= {row.key for place, row in enumerate(rows) if _is_said_again(row, rows[place + 1 :])}
            ends = [row for row in rows if row.kind == "resolved"]
            told = _told(connection, target, {alarm for row in ends for alarm in row.alarms}, over) if ends else set()
            over |= {row.key for row in ends if not told.intersection(row.alarms)}
        if over:
            change = update(schema.outbox).where(t.target == target, t.key.in_(over))
            with self._database.begin() as connection:
                connection.execute(change.values(state=_OVER, done_us=now_us))
        names = ("key", "target", "title", "body", "at_us", "priority", "level", "tries", "next_us")
        return [Message(*(getattr(row, name) for name in names)) for row in rows if row.key not in over]

    def sent(self, message: Message, now_us: int) -> None:
        """It has arrived."""
        self._set(message, state=_SENT, done_us=now_us)
        self._outcomes.labels(_SENT).inc()

    def failed(self, message: Message, reason: str, next_us: int | None) -> None:
        """It hasn't: one try more, and another at `next_us`; None: it is given up."""
        state = {"state": _GIVEN_UP} if next_us is None else {"next_us": next_us}
        self._set(message, tries=message.tries + 1, **state)
        self._outcomes.labels(_GIVEN_UP if next_us is None else "failed").inc()

    def _set(self, message: Message, **values: object) -> None:
        t = schema.outbox.c
        this = (t.key == message.key, t.target == message.target)
        with self._database.begin() as connection:
            connection.execute(update(schema.outbox).where(*this).values(**values))


def _is_over(connection: Connection, row: Row[Any]) -> bool:
    """Whether its alarms are over."""
    a = schema.alarms.c
    return not connection.scalar(select(func.count()).where(a.id.in_(row.alarms), a.open))


def _told(connection: Connection, target: str, alarms: Collection[int], over: Collection[str]) -> set[int]:
    """Those of the alarms that a target was told of, or will be: not by what is `over`."""
    t = schema.outbox.c
    about = func.json_each(t.alarms).table_valued("value", joins_implicitly=True).c.value
    query = select(about).where(t.target == target, t.state.in_((_SENT, _WAITING)), t.kind != "resolved")
    return set(connection.scalars(query.where(t.key.not_in(over), about.in_(alarms)).distinct()))


def _is_said_again(row: Row[Any], later: Sequence[Row[Any]]) -> bool:
    """A reminder that waits with a newer one of all its alarms: a target that comes back is told once."""
    known = set(row.alarms)
    return row.kind == "reminder" and any(known <= set(one.alarms) for one in later if one.kind != "resolved")

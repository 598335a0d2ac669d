"""The outbox in the database: what waits to be sent, and what became of it.

Written here at once, and not by the store's groups: the sooner it stands that a message was sent, the less a crash can
double.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Engine, func, select, update

from ectopy.service import schema
from ectopy.service.notify import Message

_OLD_US = 30_000_000  # older than this nobody is told of what is over by now
_WAITING, _SENT, _OVER, _GIVEN_UP = "waiting", "sent", "over", "given up"


class Outbox:
    """As `notify.Outbox` has it."""

    def __init__(self, database: Engine):
        self._database = database

    def open(self, targets: Collection[str], now_us: int) -> None:
        """After an outage: give up what waits for a target that isn't there any more, and what nobody needs to be told
        of now: an alarm that is over, or that one is over whose end is old."""
        t, a = schema.outbox.c, schema.alarms.c
        change = update(schema.outbox).where(t.state == _WAITING, t.target.not_in(targets)).values(state=_GIVEN_UP)
        with self._database.begin() as connection:
            connection.execute(change)
            old = connection.execute(select(schema.outbox).where(t.state == _WAITING, t.at_us < now_us - _OLD_US))
            for row in old.all():
                still = select(func.count()).where(a.id.in_(row.alarms), a.open)
                if row.kind == "resolved" or not connection.scalar(still):
                    this = (t.key == row.key, t.target == row.target)
                    connection.execute(update(schema.outbox).where(*this).values(state=_OVER, done_us=now_us))

    def waiting(self, target: str, limit: int) -> list[Message]:
        """What is not sent and not given up, the oldest first, due or not; without what is over by now."""
        t = schema.outbox.c
        query = select(schema.outbox).where(t.state == _WAITING, t.target == target).order_by(t.at_us, t.key)
        with self._database.connect() as connection:
            rows = connection.execute(query.limit(limit)).all()
        return [
            Message(
                row.key,
                row.target,
                row.title,
                row.body,
                row.at_us,
                row.priority,
                row.level,
                row.tries,
                row.next_us,
            )
            for row in rows
        ]

    def sent(self, message: Message, now_us: int) -> None:
        """It has arrived."""
        self._set(message, state=_SENT, done_us=now_us)

    def failed(self, message: Message, reason: str, next_us: int | None) -> None:
        """It hasn't: one try more, and another at `next_us`; None: it is given up."""
        state = {"state": _GIVEN_UP} if next_us is None else {"next_us": next_us}
        self._set(message, tries=message.tries + 1, **state)

    def _set(self, message: Message, **values: object) -> None:
        t = schema.outbox.c
        this = (t.key == message.key, t.target == message.target)
        with self._database.begin() as connection:
            connection.execute(update(schema.outbox).where(*this).values(**values))

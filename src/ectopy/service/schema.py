"""The tables. Times are microseconds UTC; samples themselves lie in segment files."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.exc import DatabaseError

from ectopy.errors import OutputError

NEWEST = "0004"  # of the revisions in `migrations`

metadata = MetaData()

streams = Table(
    "streams",
    metadata,
    Column("id", String, primary_key=True),
    Column("label", String),
    Column("created_us", BigInteger, nullable=False),
    Column("choice", String),  # what its next epochs are judged by: `wire.Choice` as JSON; null: never chosen
)

epochs = Table(
    "epochs",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("stream", ForeignKey("streams.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("fs", String, nullable=False),  # exactly, as 360 or 1000/3
    Column("leads", JSON, nullable=False),
    Column("kind", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("gain", Float, nullable=False),
    Column("offset", Float, nullable=False),
    Column("label", String),
    Column("started_us", BigInteger, nullable=False),
    Column("device_us", BigInteger),
    Column("end", BigInteger),  # samples in all; null while it runs
    Column("judged", Boolean, nullable=False),  # it has ended, and all its verdicts are there
    Column("choice", String),  # as the stream had it when this epoch began
    UniqueConstraint("stream", "number"),
)

# Where a chunk's bytes lie: `n` samples from `first` on, in a segment file from `at` on.
chunks = Table(
    "chunks",
    metadata,
    Column("epoch", Integer, primary_key=True),
    Column("first", BigInteger, primary_key=True),
    Column("n", Integer, nullable=False),
    Column("segment", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Samples that came after their place had become a gap: kept, and judged by nobody.
late = Table(
    "late",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("n", Integer, nullable=False),
    Column("segment", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("late_by_place", "epoch", "first"),
)

gaps = Table(
    "gaps",
    metadata,
    Column("epoch", Integer, primary_key=True),
    Column("first", BigInteger, primary_key=True),
    Column("n", BigInteger, nullable=False),
    Column("reason", String, nullable=False),
    sqlite_with_rowid=False,
)

# Samples that were refused, as others stood in their place.
conflicts = Table(
    "conflicts",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("n", Integer, nullable=False),
    Column("came_us", BigInteger, nullable=False),
)

anchors = Table(
    "anchors",
    metadata,
    Column("epoch", Integer, primary_key=True),
    Column("sample", BigInteger, primary_key=True),
    Column("server_us", BigInteger, nullable=False),
    Column("device_us", BigInteger),
    sqlite_with_rowid=False,
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("start", BigInteger, nullable=False),  # sample
    Column("start_s", Float, nullable=False),
    Column("word", String, nullable=False),
    Column("body", String, nullable=False),  # `wire.VerdictOut` as JSON
    UniqueConstraint("epoch", "start"),
    Index("verdicts_by_epoch", "epoch", "id"),
)


# What the alarms are made of, in order: findings, conditions, people's acts, the passing of time. The same log gives
# the same alarms.
alarm_log = Table(
    "alarm_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("stream", String),
    Column("epoch", Integer),  # number
    Column("told_s", Float),  # of findings
    Column("body", String, nullable=False),  # the input as JSON; of a finding `wire.FoundOut`
    Index("alarm_log_by_stream", "stream", "epoch", "kind", "id"),
)

# The desk's state after the input `upto`: a shortcut, so that a start need not go through the whole log.
desk = Table(
    "desk",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("upto", Integer, nullable=False),
    Column("state", String, nullable=False),
)

alarms = Table(
    "alarms",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("stream", String),
    Column("open", Boolean, nullable=False),
    Column("body", String, nullable=False),  # `wire.AlarmOut` as JSON
    Index("alarms_by_stream", "stream", "id"),
    Index("alarms_open", "open", "id"),
)

alarm_changes = Table(
    "alarm_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("stream", String),
    Column("body", String, nullable=False),  # `wire.AlarmOut` as JSON
    Index("alarm_changes_by_stream", "stream", "id"),
)

# Notifications, one row a target; written together with the alarm that they tell of.
outbox = Table(
    "outbox",
    metadata,
    Column("key", String, primary_key=True),
    Column("target", String, primary_key=True),
    Column("alarms", JSON, nullable=False),  # ids
    Column("kind", String, nullable=False),
    Column("priority", String, nullable=False),
    Column("level", Integer, nullable=False),
    Column("title", String, nullable=False),
    Column("body", String, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_us", BigInteger, nullable=False),
    Column("state", String, nullable=False),  # waiting, sent, over, given up
    Column("done_us", BigInteger),
    Index("outbox_by_state", "state", "target", "at_us"),
)

# What people say of beats; nothing is changed or removed, the newest of a sample holds.
annotated = Table(
    "annotations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("sample", BigInteger, nullable=False),
    Column("aami", String, nullable=False),
    Column("replaced", String),
    Column("author", String, nullable=False),
    Column("note", String, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Index("annotations_by_epoch", "epoch", "id"),
)


def open_database(path: Path) -> Engine:
    """The database, brought to this version's schema; what is committed survives a power cut.

    Raises
    ------
    OutputError
        If it is damaged, or of a newer Ectopy.
    """
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _durable(connection, _):  # type: ignore[no-untyped-def]
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "wal_autocheckpoint=4000"):
            connection.execute(f"PRAGMA {pragma}").fetchall()

    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # else each statement of a schema is committed by itself
            revision = _revision(connection)
            if revision is not None and revision > NEWEST:
                raise OutputError(f"{path}: made by a newer Ectopy; update this one, or choose another with --data")
            if revision != NEWEST:
                _migrate(connection)
    except DatabaseError as error:
        raise OutputError(f"{path}: can't be opened ({error.orig}); choose another folder with --data") from None
    return engine


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _migrate(connection: Connection) -> None:
    from alembic import command  # here: it takes half a second, which a restart doesn't have
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")

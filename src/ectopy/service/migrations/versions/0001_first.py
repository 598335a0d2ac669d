"""The first schema: streams, epochs, chunks, gaps, anchors, verdicts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "streams",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("label", sa.String),
        sa.Column("created_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "epochs",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("stream", sa.String, sa.ForeignKey("streams.id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("fs", sa.String, nullable=False),
        sa.Column("leads", sa.JSON, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("unit", sa.String, nullable=False),
        sa.Column("gain", sa.Float, nullable=False),
        sa.Column("offset", sa.Float, nullable=False),
        sa.Column("label", sa.String),
        sa.Column("started_us", sa.BigInteger, nullable=False),
        sa.Column("device_us", sa.BigInteger),
        sa.Column("end", sa.BigInteger),
        sa.Column("judged", sa.Boolean, nullable=False),
        sa.UniqueConstraint("stream", "number"),
    )
    op.create_table(
        "chunks",
        sa.Column("epoch", sa.Integer, primary_key=True),
        sa.Column("first", sa.BigInteger, primary_key=True),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("segment", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "late",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("segment", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("late_by_place", "late", ["epoch", "first"])
    op.create_table(
        "gaps",
        sa.Column("epoch", sa.Integer, primary_key=True),
        sa.Column("first", sa.BigInteger, primary_key=True),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "conflicts",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("came_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "anchors",
        sa.Column("epoch", sa.Integer, primary_key=True),
        sa.Column("sample", sa.BigInteger, primary_key=True),
        sa.Column("server_us", sa.BigInteger, nullable=False),
        sa.Column("device_us", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("start_s", sa.Float, nullable=False),
        sa.Column("word", sa.String, nullable=False),
        sa.Column("body", sa.String, nullable=False),
        sa.UniqueConstraint("epoch", "start"),
    )
    op.create_index("verdicts_by_epoch", "verdicts", ["epoch", "id"])

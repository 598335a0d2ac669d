"""Alarms: their log, their state, and the notifications that wait."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "alarm_log",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("stream", sa.String),
        sa.Column("epoch", sa.Integer),
        sa.Column("told_s", sa.Float),
        sa.Column("body", sa.String, nullable=False),
    )
    op.create_index("alarm_log_by_stream", "alarm_log", ["stream", "epoch", "kind", "id"])
    op.create_table(
        "desk",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("upto", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
    )
    op.create_table(
        "alarms",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("stream", sa.String),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("body", sa.String, nullable=False),
    )
    op.create_index("alarms_by_stream", "alarms", ["stream", "id"])
    op.create_index("alarms_open", "alarms", ["open", "id"])
    op.create_table(
        "alarm_changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("stream", sa.String),
        sa.Column("body", sa.String, nullable=False),
    )
    op.create_index("alarm_changes_by_stream", "alarm_changes", ["stream", "id"])
    op.create_table(
        "outbox",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("target", sa.String, primary_key=True),
        sa.Column("alarms", sa.JSON, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("priority", sa.String, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("body", sa.String, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_us", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("done_us", sa.BigInteger),
    )
    op.create_index("outbox_by_state", "outbox", ["state", "target", "at_us"])

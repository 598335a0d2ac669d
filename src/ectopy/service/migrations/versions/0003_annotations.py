"""What people say of beats."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "annotations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("sample", sa.BigInteger, nullable=False),
        sa.Column("aami", sa.String, nullable=False),
        sa.Column("replaced", sa.String),
        sa.Column("author", sa.String, nullable=False),
        sa.Column("note", sa.String, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
    )
    op.create_index("annotations_by_epoch", "annotations", ["epoch", "id"])

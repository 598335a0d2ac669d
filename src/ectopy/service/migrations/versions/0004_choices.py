"""What judges a stream, where somebody has chosen it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("streams", sa.Column("choice", sa.String))
    op.add_column("epochs", sa.Column("choice", sa.String))

"""Transfers to another education sector, sealed under their codes."""

import sqlalchemy as sa
from alembic import op

revision = "register_0008"
down_revision = "register_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "transfers",
        sa.Column("tag", sa.LargeBinary(32), primary_key=True),
        sa.Column("person_tag", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("accepting", sa.LargeBinary),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """What was used stays used."""
    raise NotImplementedError("a used transfer would work again")

"""Counts by school and day: budgets for newcomers, and alarms."""

import sqlalchemy as sa
from alembic import op

revision = "register_0006"
down_revision = "register_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; everything is counted from now on."""
    op.create_table(
        "school_counts",
        sa.Column("school", sa.Text, primary_key=True),
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Without its counts every school could let in a day's newcomers once more."""
    raise NotImplementedError("the counts are not thrown away")

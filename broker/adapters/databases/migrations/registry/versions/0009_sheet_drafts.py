"""Drafts of service sheets."""

import sqlalchemy as sa
from alembic import op

revision = "registry_0009"
down_revision = "registry_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "sheet_drafts",
        sa.Column("supplier", sa.Text, primary_key=True),
        sa.Column("based_on", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("changed_in", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Without them suppliers would write their sheets anew: no command does that."""
    raise NotImplementedError("what people wrote is not thrown away")

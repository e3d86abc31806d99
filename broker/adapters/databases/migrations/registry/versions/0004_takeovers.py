"""Take-overs of accounts that schools signed for."""

import sqlalchemy as sa
from alembic import op

revision = "registry_0004"
down_revision = "registry_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "takeovers",
        sa.Column("school", sa.Text, primary_key=True),
        sa.Column("supplier", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("last_day", sa.Text, nullable=False),
        sa.Column("quota", sa.Integer, nullable=False),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("document", sa.LargeBinary(32), nullable=False),
        sa.Column("pupils", sa.LargeBinary(32), nullable=False),
        sa.Column("signed_by", sa.Text, nullable=False),
        sa.Column("deleted_on", sa.Text),
        sa.Column("deletion", sa.LargeBinary(32)),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "takeover_steps",
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("school", sa.Text, nullable=False),
        sa.Column("supplier", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
    )
    op.create_index("takeover_steps_of", "takeover_steps", ["school", "supplier"])


def downgrade() -> None:
    """What a school signed, and what was asked, must not be forgotten."""
    raise NotImplementedError("the registry is not thrown away")

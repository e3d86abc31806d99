"""The windows in which suppliers are told two pseudonyms of each person."""

import sqlalchemy as sa
from alembic import op

revision = "registry_0003"
down_revision = "registry_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "rotations",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("supplier", sa.Text, nullable=False),
        sa.Column("from_epoch", sa.Text, nullable=False),
        sa.Column("to_epoch", sa.Text, nullable=False),
        sa.Column("turned_back", sa.Boolean, nullable=False),
        sa.Column("opened_version", sa.Integer, nullable=False),
        sa.Column("closed_version", sa.Integer),
    )
    op.create_index(
        "rotations_open",
        "rotations",
        ["supplier"],
        unique=True,
        sqlite_where=sa.text("closed_version IS NULL"),
    )


def downgrade() -> None:
    """Without it an open window would close: no command throws it away."""
    raise NotImplementedError("windows are not thrown away")

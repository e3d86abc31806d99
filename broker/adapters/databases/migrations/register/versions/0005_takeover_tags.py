"""Lists of pupils for the take-over of accounts, as keyed tags."""

import sqlalchemy as sa
from alembic import op

revision = "register_0005"
down_revision = "register_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "takeover_tags",
        sa.Column("tag", sa.LargeBinary(32), primary_key=True),
        sa.Column("list", sa.Text, nullable=False),
        sa.Column("school", sa.Text, nullable=False),
        sa.Column("supplier", sa.Text, nullable=False),
        sa.Column("arrived", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "takeover_tags_by_list", "takeover_tags", ["list", "school", "supplier", "arrived"]
    )


def downgrade() -> None:
    """Remove the table: the lists are there to be given once more."""
    op.drop_table("takeover_tags")

"""The mark by which the registry knows this database again."""

import sqlalchemy as sa
from alembic import op

revision = "receipts_0002"
down_revision = "receipts_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table with its one row."""
    op.create_table("receipts_mark", sa.Column("mark", sa.LargeBinary(16), primary_key=True))
    op.execute("INSERT INTO receipts_mark (mark) VALUES (randomblob(16))")


def downgrade() -> None:
    """Without its mark nobody would notice that it was exchanged."""
    raise NotImplementedError("the mark is not thrown away")

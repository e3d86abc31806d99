"""Receipts, their writers and their signed heads."""

import sqlalchemy as sa
from alembic import op

revision = "receipts_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "receipts",
        sa.Column("writer", sa.LargeBinary(16), primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True),
        sa.Column("locator", sa.LargeBinary(32), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
        sa.Column("school", sa.Text, nullable=False),
        sa.Column("week", sa.Integer, nullable=False),
        sa.Column("link", sa.LargeBinary(32), nullable=False),
        sa.CheckConstraint("sequence >= 1", name="sequence_from_1"),
        sqlite_with_rowid=False,
    )
    op.create_index("receipts_by_locator", "receipts", ["locator"])
    op.create_index("receipts_by_school", "receipts", ["school"])
    op.create_table(
        "receipt_writers",
        sa.Column("writer", sa.LargeBinary(16), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("link", sa.LargeBinary(32), nullable=False),
        sa.Column("heads", sa.Integer, nullable=False),
        sa.Column("tag", sa.LargeBinary(32), nullable=False),
        sa.Column("headed", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "receipt_heads",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
    )


def downgrade() -> None:
    """Receipts are evidence: no command throws them away."""
    raise NotImplementedError("receipts are not thrown away")

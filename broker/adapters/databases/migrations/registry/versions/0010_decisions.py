"""Decisions: drafts, and what was signed. And an index by which a worker finds what is new."""

import sqlalchemy as sa
from alembic import op

revision = "registry_0010"
down_revision = "registry_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "decision_drafts",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("school", sa.Text, nullable=False),
        sa.Column("board", sa.Text, nullable=False),
        sa.Column("supplier", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("batch", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("prepared_by", sa.Text, nullable=False),
        sa.Column("prepared_role", sa.Text, nullable=False),
        sa.Column("prepared_at", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    of = ["board", "school", "supplier"]
    op.create_index("decision_drafts_of", "decision_drafts", of, unique=True)
    op.create_index("decision_drafts_by_batch", "decision_drafts", ["batch"])
    op.create_table(
        "signed_decisions",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("school", sa.Text, nullable=False),
        sa.Column("board", sa.Text, nullable=False),
        sa.Column("supplier", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("draft", sa.Integer, nullable=False),
        sa.Column("signed_at", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    op.create_index("signed_decisions_of", "signed_decisions", [*of, "version"])
    op.create_index("signed_decisions_by_draft", "signed_decisions", ["draft"], unique=True)
    op.create_index(
        "documents_by_first_version", "documents", ["first_version"], if_not_exists=True
    )
    op.create_index("documents_by_last_version", "documents", ["last_version"], if_not_exists=True)


def downgrade() -> None:
    """What was signed is kept: no command does that."""
    raise NotImplementedError("what was signed is not thrown away")

"""The registry."""

import sqlalchemy as sa
from alembic import op

revision = "registry_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "versions",
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("applied_in", sa.Text, nullable=False),
        sa.Column("applied_by", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("added", sa.Integer, nullable=False),
        sa.Column("changed", sa.Integer, nullable=False),
        sa.Column("removed", sa.Integer, nullable=False),
    )
    documents = op.create_table(
        "documents",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("first_version", sa.Integer, nullable=False),
        sa.Column("last_version", sa.Integer),
        sa.Column("compiled", sa.LargeBinary, nullable=False),
        sa.Column("stated", sa.Text, nullable=False),
    )
    op.create_index("documents_by_id", "documents", ["kind", "id", "first_version"], unique=True)
    op.create_index(
        "documents_in_force",
        "documents",
        ["kind", "id"],
        unique=True,
        sqlite_where=documents.c.last_version.is_(None),
    )
    op.create_table(
        "pins",
        sa.Column("supplier", sa.Text, primary_key=True),
        sa.Column("epoch", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    """Without the pins every pupil would become a stranger: no command throws them away."""
    raise NotImplementedError("the registry is not thrown away")

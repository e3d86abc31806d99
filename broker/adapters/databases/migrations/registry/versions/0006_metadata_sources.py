"""What is known of sources of metadata, and of parties of them."""

import sqlalchemy as sa
from alembic import op

revision = "registry_0006"
down_revision = "registry_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "metadata_sources",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("document", sa.LargeBinary(32), nullable=False),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("last_modified", sa.Text, nullable=False),
        sa.Column("valid_until", sa.Text),
        sa.Column("confirmed_at", sa.Text, nullable=False),
        sa.Column("looked_at", sa.Text, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failure", sa.Text, nullable=False),
    )
    op.create_table(
        "metadata_entities",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("entity_id", sa.Text, primary_key=True),
        sa.Column("valid_until", sa.Text, nullable=False),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("last_modified", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Without them every login from a source would be out: no command throws them away."""
    raise NotImplementedError("what is known of sources is not thrown away")

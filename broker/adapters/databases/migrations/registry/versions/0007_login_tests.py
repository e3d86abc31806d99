"""How many tests of a school's login ended how."""

import sqlalchemy as sa
from alembic import op

revision = "registry_0007"
down_revision = "registry_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "login_tests",
        sa.Column("school", sa.Text, primary_key=True),
        sa.Column("idp", sa.Text, primary_key=True),
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("outcome", sa.Text, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Without them a school would have to test again: no command does that."""
    raise NotImplementedError("what was tested is not thrown away")

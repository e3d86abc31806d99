"""How many persons each supplier knows, and whose pseudonyms were converted in bulk."""

import sqlalchemy as sa
from alembic import op

revision = "register_0004"
down_revision = "register_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; logins fill them."""
    op.create_table(
        "supplier_counts",
        sa.Column("supplier", sa.Text, primary_key=True),
        sa.Column("epoch", sa.Text, primary_key=True),
        sa.Column("persons", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "converted_marks",
        sa.Column("supplier", sa.Text, primary_key=True),
        sa.Column("mark", sa.LargeBinary(32), primary_key=True),
        sa.Column("epoch", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Counts cannot be made again from sealed rows: no command throws them away."""
    raise NotImplementedError("counts are not thrown away")

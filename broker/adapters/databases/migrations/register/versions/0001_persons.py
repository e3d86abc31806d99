"""The person register."""

import sqlalchemy as sa
from alembic import op

revision = "register_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "persons",
        sa.Column("tag", sa.LargeBinary(32), primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("school_year", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("persons_by_school_year", "persons", ["school_year"])


def downgrade() -> None:
    """Without the register's salts nobody finds a receipt again: no command throws it away."""
    raise NotImplementedError("the register is not thrown away")

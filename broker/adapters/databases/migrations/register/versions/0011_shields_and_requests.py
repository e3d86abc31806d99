"""Of whom a school lets go less than its agreements, and what pupils and parents ask of it."""

import sqlalchemy as sa
from alembic import op

revision = "register_0011"
down_revision = "register_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "shields",
        sa.Column("tag", sa.LargeBinary(32), nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("school", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("tag", "id"),
        sqlite_with_rowid=False,
    )
    op.create_index("shields_by_id", "shields", ["id"])
    op.create_index("shields_by_school", "shields", ["school", "by"])
    op.create_table(
        "shielding_schools",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("school", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "person_requests",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("school", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("filed_on", sa.Date, nullable=False),
        sa.Column("deadline", sa.Date, nullable=False),
        sa.Column("blocks", sa.Boolean, nullable=False),
        sa.Column("same", sa.LargeBinary(32), nullable=False),
        sa.Column("subject", sa.LargeBinary, nullable=False),
        sa.Column("decided_on", sa.Date, nullable=True),
        sa.Column("grounds", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("person_requests_by_school", "person_requests", ["school", "state", "deadline"])
    op.create_index("person_requests_by_same", "person_requests", ["same"])
    op.create_table(
        "request_persons",
        sa.Column("tag", sa.LargeBinary(32), nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tag", "id"),
        sqlite_with_rowid=False,
    )
    op.create_index("request_persons_by_id", "request_persons", ["id"])


def downgrade() -> None:
    """Nobody is shielded then, and nothing is asked."""
    for table in ("request_persons", "person_requests", "shielding_schools", "shields"):
        op.drop_table(table)

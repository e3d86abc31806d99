"""Schools' lists of who is there."""

import sqlalchemy as sa
from alembic import op

revision = "register_0007"
down_revision = "register_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "enrolments",
        sa.Column("tag", sa.LargeBinary(32), primary_key=True),
        sa.Column("of", sa.LargeBinary(32), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("enrolments_of_school", "enrolments", ["of"])
    op.create_table(
        "enrolment_feeds",
        sa.Column("of", sa.LargeBinary(32), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("sent_on", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Without the lists, logins that send a sub alone open nothing."""
    raise NotImplementedError("schools' lists are not thrown away")

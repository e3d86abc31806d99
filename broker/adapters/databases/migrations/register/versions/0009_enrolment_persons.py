"""Whose each row of a school's list is, so that erasing a person finds it."""

import sqlalchemy as sa
from alembic import op

revision = "register_0009"
down_revision = "register_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; each school's next list fills it."""
    op.create_table(
        "enrolment_persons",
        sa.Column("tag", sa.LargeBinary(32), primary_key=True),
        sa.Column("person", sa.LargeBinary(32), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("enrolment_persons_by_person", "enrolment_persons", ["person"])


def downgrade() -> None:
    """The next list fills it again."""
    op.drop_table("enrolment_persons")

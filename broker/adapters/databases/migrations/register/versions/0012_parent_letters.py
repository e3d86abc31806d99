"""Letters by which parents get in, whom they are not made about, and what each school decided."""

import sqlalchemy as sa
from alembic import op

revision = "register_0012"
down_revision = "register_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "parent_letters",
        sa.Column("tag", sa.LargeBinary(32), nullable=False),
        sa.Column("person", sa.LargeBinary(32), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("school", sa.Text, nullable=False),
        sa.Column("batch", sa.Text, nullable=False),
        sa.Column("household", sa.Integer, nullable=False),
        sa.Column("issued_on", sa.Text, nullable=False),
        sa.Column("last_day", sa.Text, nullable=False),
        sa.Column("once", sa.Boolean, nullable=False),
        sa.Column("withdrawn", sa.Boolean, nullable=False),
        sa.Column("uses", sa.Integer, nullable=False),
        sa.Column("used_on", sa.Text, nullable=True),
        sa.Column("used_today", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("tag"),
        sqlite_with_rowid=False,
    )
    op.create_index("parent_letters_by_person", "parent_letters", ["person"])
    op.create_index("parent_letters_by_school", "parent_letters", ["school", "batch"])
    op.create_table(
        "parent_exclusions",
        sa.Column("person", sa.LargeBinary(32), nullable=False),
        sa.Column("household", sa.Integer, nullable=False),
        sa.Column("school", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("person", "household"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "parent_rules",
        sa.Column("school", sa.Text, nullable=False),
        sa.Column("rules", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("school"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """No letter opens anything then."""
    for name in ("parent_rules", "parent_exclusions", "parent_letters"):
        op.drop_table(name)

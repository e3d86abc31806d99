"""The steps of schools from one login to another, and what rehearsals showed."""

import sqlalchemy as sa
from alembic import op

revision = "registry_0005"
down_revision = "registry_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "login_switches",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("school", sa.Text, nullable=False),
        sa.Column("from_idp", sa.Text, nullable=False),
        sa.Column("to_idp", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("classes", sa.Text, nullable=False),
        sa.Column("first_day", sa.Text, nullable=False),
        sa.Column("since", sa.Text, nullable=False),
        sa.Column("taken_by", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("login_switches_by_school", "login_switches", ["school", "number"])
    op.create_table(
        "rehearsed_lists",
        sa.Column("school", sa.Text, primary_key=True),
        sa.Column("from_idp", sa.Text, primary_key=True),
        sa.Column("to_idp", sa.Text, primary_key=True),
        sa.Column("looked_in", sa.Text, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
    )
    op.create_table(
        "rehearsed_logins",
        sa.Column("volunteer", sa.LargeBinary(32), primary_key=True),
        sa.Column("school", sa.Text, nullable=False),
        sa.Column("from_idp", sa.Text, nullable=False),
        sa.Column("to_idp", sa.Text, nullable=False),
        sa.Column("finding", sa.Text, nullable=False),
    )
    op.create_index(
        "rehearsed_logins_by_school", "rehearsed_logins", ["school", "from_idp", "to_idp"]
    )


def downgrade() -> None:
    """Without them schools would be back at the logins that they left: no command does that."""
    raise NotImplementedError("switches are not thrown away")

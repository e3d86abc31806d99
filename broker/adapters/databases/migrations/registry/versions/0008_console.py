"""Roles, invitations and links of the console, and the chain of what was done there."""

import sqlalchemy as sa
from alembic import op

revision = "registry_0008"
down_revision = "registry_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _make_audit()
    _make_roles()
    _make_invitations()
    _make_links()


def downgrade() -> None:
    """Nobody would know any more who may do what: no command does that."""
    raise NotImplementedError("roles and what was done are not thrown away")


def _make_audit() -> None:
    op.create_table(
        "console_audit",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("school", sa.Text, nullable=False),
        sa.Column("board", sa.Text, nullable=False),
        sa.Column("supplier", sa.Text, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("link", sa.LargeBinary(32), nullable=False),
    )
    op.create_index("console_audit_by_board", "console_audit", ["board", "number"])
    op.create_index("console_audit_by_school", "console_audit", ["school", "number"])
    op.create_index("console_audit_by_supplier", "console_audit", ["supplier", "number"])


def _make_roles() -> None:
    op.create_table(
        "console_roles",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("login_kind", sa.Text, nullable=False),
        sa.Column("login_place", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("last_day", sa.Text),
        sa.Column("given_at", sa.Text, nullable=False),
        sa.Column("given_by", sa.Text, nullable=False),
        sa.Column("withdrawn_at", sa.Text),
        sa.Column("withdrawn_by", sa.Text),
    )
    op.create_index("console_roles_at_place", "console_roles", ["kind", "place"])
    op.create_index("console_roles_of_user", "console_roles", ["user"])


def _make_invitations() -> None:
    op.create_table(
        "console_invitations",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("code", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("places", sa.Text, nullable=False),
        sa.Column("last_day", sa.Text),
        sa.Column("login_kind", sa.Text, nullable=False),
        sa.Column("login_place", sa.Text, nullable=False),
        sa.Column("invited_at", sa.Text, nullable=False),
        sa.Column("invited_by", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
        sa.Column("ended_at", sa.Text),
        sa.Column("outcome", sa.Text),
    )
    op.create_index("console_invitations_at_place", "console_invitations", ["kind", "number"])


def _make_links() -> None:
    op.create_table(
        "console_links",
        sa.Column("code", sa.LargeBinary(32), primary_key=True),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("made_at", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
        sa.Column("used_at", sa.Text),
        sqlite_with_rowid=False,
    )

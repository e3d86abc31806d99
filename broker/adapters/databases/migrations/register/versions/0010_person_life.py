"""By what a refresh knows that a person's row is the one of its login, and not of after an
erasure."""

import sqlalchemy as sa
from alembic import op

revision = "register_0010"
down_revision = "register_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; a row gets its mark when it is next written."""
    op.add_column("persons", sa.Column("life", sa.LargeBinary(16), nullable=True))


def downgrade() -> None:
    """Refresh tokens then live on over an erasure, as they did."""
    op.drop_column("persons", "life")

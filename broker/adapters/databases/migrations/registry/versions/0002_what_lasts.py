"""By what a start knows that keys and databases are those in use."""

import sqlalchemy as sa
from alembic import op

revision = "registry_0002"
down_revision = "registry_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; the next start or `apply` fills them."""
    op.create_table(
        "key_checks",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.LargeBinary(16), nullable=False),
    )
    op.create_table(
        "databases",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("mark", sa.LargeBinary(16), nullable=False),
    )


def downgrade() -> None:
    """Without them a wrong key would make strangers of all: no command throws them away."""
    raise NotImplementedError("the registry is not thrown away")

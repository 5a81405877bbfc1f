"""A maintenance of a host may be one of all that lies behind it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is noted already is of its host alone."""
    column = sa.Column("with_behind", sa.Boolean(), nullable=False, server_default=sa.false())
    with op.batch_alter_table("host_maintenance") as table:
        table.add_column(column)
    with op.batch_alter_table("host_maintenance") as table:
        table.alter_column("with_behind", server_default=None)


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("host_maintenance") as table:
        table.drop_column("with_behind")

"""The words of notifications as they are searched, and maintenance of all that lies behind a host.

The daemon fills the table of words by and by; what was noted of maintenance before is of its host alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, empty, and the column."""
    op.create_table(
        "notification_words",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("notification_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_notification_words_user_id_users", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notifications.id"],
            name="fk_notification_words_notification_id_notifications",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "notification_id", name="pk_notification_words"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_notification_words_notification_id", "notification_words", ["notification_id"])
    behind: sa.Column[bool] = sa.Column(
        "with_behind", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    with op.batch_alter_table("host_maintenance") as table:
        table.add_column(behind)
    with op.batch_alter_table("host_maintenance") as table:
        table.alter_column("with_behind", server_default=None)


def downgrade() -> None:
    """Drop both: the table holds nothing of its own."""
    with op.batch_alter_table("host_maintenance") as table:
        table.drop_column("with_behind")
    op.drop_table("notification_words")

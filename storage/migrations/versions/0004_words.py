"""The words of notifications as they are searched. The daemon fills the table by and by."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, empty."""
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


def downgrade() -> None:
    """Drop it: it holds nothing of its own."""
    op.drop_table("notification_words")

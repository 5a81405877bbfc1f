"""Telephones of Redmine's accounts, from a custom field that the configuration names.

The daemon fills the table at the next look of the job that reads Redmine's accounts.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, empty."""
    op.create_table(
        "redmine_phones",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "number", name=op.f("pk_redmine_phones")),
    )
    op.create_index(op.f("ix_redmine_phones_number"), "redmine_phones", ["number"])


def downgrade() -> None:
    """Drop it: it holds nothing of its own."""
    op.drop_table("redmine_phones")

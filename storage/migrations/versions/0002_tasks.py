"""Tasks, groups, log-ins, who looks at what, which news were read.

Until November 2026 the first migration was written anew whenever the tables changed, and every database says
0001. So this one and the next look at which tables are there, and leave alone what has them already.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    if sa.inspect(op.get_bind()).has_table("groups"):
        return
    _reference()
    _people()
    _rights()


def _reference() -> None:
    op.create_table(
        "groups",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
    )
    op.create_table(
        "priorities",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_priorities")),
    )
    op.create_table(
        "statuses",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("is_closed", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statuses")),
    )
    op.create_table(
        "group_members",
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_group_members_group_id_groups"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", "account_id", name=op.f("pk_group_members")),
    )
    op.create_index(op.f("ix_group_members_account_id"), "group_members", ["account_id"])


def _people() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("user_agent", sa.String(length=512), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sign_ins_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_sign_ins")),
    )
    op.create_index(op.f("ix_sign_ins_user_id"), "sign_ins", ["user_id"])
    op.create_table(
        "post_reads",
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_post_reads_post_id_posts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_post_reads_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("post_id", "user_id", name=op.f("pk_post_reads")),
    )
    op.create_index(op.f("ix_post_reads_user_id"), "post_reads", ["user_id"])


def _rights() -> None:
    op.create_table(
        "task_rights",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tracker_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("assigned_to_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("is_private", sa.Boolean(), nullable=False),
        sa.Column("is_shown", sa.Boolean(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_task_rights_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "user_id", "project_id", "tracker_id", "assigned_to_id", "is_private", name=op.f("pk_task_rights")
        ),
    )
    op.create_table(
        "viewings",
        sa.Column("connection", sa.String(length=64), nullable=False),
        sa.Column("issue_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_viewings_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("connection", "issue_id", name=op.f("pk_viewings")),
    )
    op.create_index(op.f("ix_viewings_issue_id"), "viewings", ["issue_id"])
    op.create_index(op.f("ix_viewings_seen_at"), "viewings", ["seen_at"])


def downgrade() -> None:
    """Take it back. What only these tables held is gone."""
    for table in (
        "viewings",
        "task_rights",
        "post_reads",
        "sign_ins",
        "group_members",
        "statuses",
        "priorities",
        "groups",
    ):
        op.drop_table(table)

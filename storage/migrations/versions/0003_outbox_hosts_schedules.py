"""The outbox, the inbox by threads, preferences, the state machine of hosts, the ERP, schedules.

What is new in a table of old is added empty, filled in, and then forbidden to be empty. See 0002 for why it
may all be there already.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STAMP = sa.DateTime(timezone=True)
OPEN = sa.text("state IN ('due', 'claimed')")
SNOOZED = sa.text("snoozed_until IS NOT NULL")
UNREAD = sa.text("read_at IS NULL AND archived_at IS NULL AND withdrawn_at IS NULL")
UNREAD_OF_OLD = sa.text("read_at IS NULL AND withdrawn_at IS NULL")
# A name that nobody can guess, 32 characters.
TOKEN = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "replace(gen_random_uuid()::text, '-', '')"}

# What is new, table by table, and what fills it in for the rows that are there.
NEW: dict[str, list[tuple[sa.Column[Any], str]]] = {
    "users": [
        (sa.Column("erp_name", sa.String(length=128)), ""),
        (sa.Column("from_erp", sa.JSON(), nullable=False), "'[]'"),
        (sa.Column("preferences", sa.JSON(), nullable=False), "'{}'"),
        (sa.Column("mail_token", sa.String(length=32), nullable=False), "<token>"),
    ],
    "notifications": [
        (
            sa.Column("thread", sa.String(length=128), nullable=False),
            "coalesce('issue:' || issue_id, change_key)",
        ),
        (sa.Column("surfaced_at", STAMP, nullable=False), "recorded_at"),
        (sa.Column("alerts", sa.JSON(), nullable=False), "'[]'"),
        (sa.Column("is_urgent", sa.Boolean(), nullable=False), "<false>"),
        (sa.Column("starred_at", STAMP), ""),
    ],
    "deliveries": [
        (sa.Column("lane", sa.String(length=255), nullable=False), "channel"),
        (sa.Column("device_name", sa.String(length=255), nullable=False), "''"),
        (sa.Column("batch", sa.String(length=16), nullable=False), "''"),
        (
            sa.Column("created_at", STAMP, nullable=False),
            (
                "coalesce((SELECT recorded_at FROM notifications WHERE notifications.id = notification_id),"
                " next_attempt_at)"
            ),
        ),
        (sa.Column("due_at", STAMP, nullable=False), "next_attempt_at"),
        # A claim of old ends here: whoever held it is not running any more.
        (sa.Column("claimed_until", STAMP), ""),
        (
            sa.Column("finished_at", STAMP),
            "CASE WHEN state IN ('due', 'claimed') THEN NULL ELSE coalesce(sent_at, next_attempt_at) END",
        ),
        (sa.Column("receipt", sa.String(length=32), nullable=False), "<token>"),
        (sa.Column("received_at", STAMP), ""),
    ],
    "push_subscriptions": [
        (sa.Column("application_server_key", sa.String(length=128), nullable=False), "''"),
        (sa.Column("sign_in", sa.String(length=32), nullable=False), "''"),
        (sa.Column("removed_at", STAMP), ""),
        (sa.Column("seen_at", STAMP, nullable=False), "coalesce(last_success_at, created_at)"),
    ],
    "job_runs": [
        (sa.Column("journals", sa.Integer(), nullable=False), "0"),
        (sa.Column("overlap_hits", sa.Integer(), nullable=False), "0"),
        (sa.Column("lines", sa.JSON(), nullable=False), "'[]'"),
    ],
    "job_states": [
        (sa.Column("options", sa.JSON()), ""),
        (sa.Column("wanted", sa.JSON()), ""),
        (sa.Column("refusal", sa.Text(), nullable=False), "''"),
        (sa.Column("configured", sa.JSON()), ""),
        (sa.Column("requested_at", STAMP), ""),
        (sa.Column("next_run_at", STAMP), ""),
        (
            sa.Column("last_ok_at", STAMP),
            "(SELECT max(started_at) FROM job_runs WHERE job = name AND status IN ('ok', 'partial'))",
        ),
        (sa.Column("told_at", STAMP), ""),
    ],
    "hosts": [
        (sa.Column("ip", sa.String(length=64), nullable=False), "''"),
        (sa.Column("group_name", sa.String(length=255), nullable=False), "''"),
        (sa.Column("parent", sa.String(length=255), nullable=False), "''"),
        (sa.Column("position", sa.Integer(), nullable=False), "0"),
        (sa.Column("is_watched", sa.Boolean(), nullable=False), "<true>"),
        (sa.Column("method", sa.String(length=8), nullable=False), "'icmp'"),
        (sa.Column("reason", sa.String(length=255), nullable=False), "''"),
        (sa.Column("told", sa.String(length=16), nullable=False), "''"),
        (sa.Column("outage_at", STAMP), ""),
        (sa.Column("has_answered", sa.Boolean()), ""),
        (sa.Column("results", sa.String(length=32), nullable=False), "''"),
        (sa.Column("is_flapping", sa.Boolean(), nullable=False), "<false>"),
        (sa.Column("maintenance_until", STAMP), ""),
        (sa.Column("sent", sa.Integer(), nullable=False), "0"),
        (sa.Column("received", sa.Integer(), nullable=False), "0"),
        (sa.Column("rtt_min_ms", sa.Double()), ""),
        (sa.Column("rtt_max_ms", sa.Double()), ""),
        (sa.Column("next_check_at", STAMP), ""),
    ],
}
GONE = {"deliveries": [sa.Column("claimed_at", STAMP), sa.Column("sent_at", STAMP)]}
UNIQUE = {"users": ["erp_name", "mail_token"], "deliveries": ["receipt"]}
# Tables whose ids never come back. Inspecting a table does not show that, so rebuilding one must say it.
COUNTED = frozenset({"deliveries", "job_runs", "notifications", "push_subscriptions"})
COUNTED_OF_OLD = frozenset({"job_runs", "notifications"})


def upgrade() -> None:
    """Bring the schema forward."""
    if sa.inspect(op.get_bind()).has_table("audit_entries"):
        return
    op.drop_index("ix_deliveries_state_next_attempt_at", "deliveries")
    op.drop_index("ix_issues_assigned_to_id", "issues")
    op.drop_index("ix_notifications_unread", "notifications")
    for table in NEW:
        _widen(table)
    op.execute("UPDATE deliveries SET state = 'due', claimed_by = '' WHERE state = 'claimed'")
    _checks_by_host()
    _indexes()
    _tables()
    _host_tables()


def _widen(table: str) -> None:
    """Add columns, fill them in, then let none be empty that must not be."""
    with op.batch_alter_table(table) as batch:
        for column, _ in NEW[table]:
            batch.add_column(sa.Column(column.name, column.type))
    values = [f"{column.name} = {_sql(value)}" for column, value in NEW[table] if value]
    op.execute(f"UPDATE {table} SET {', '.join(values)}")  # noqa: S608 - constants of this file
    with _rebuilt(table, COUNTED) as batch:
        for column, _ in NEW[table]:
            if not column.nullable:
                batch.alter_column(column.name, existing_type=column.type, nullable=False)
        for name in UNIQUE.get(table, []):
            batch.create_unique_constraint(op.f(f"uq_{table}_{name}"), [name])
        for column in GONE.get(table, []):
            batch.drop_column(column.name)


def _sql(value: str) -> str:
    dialect = op.get_bind().dialect.name
    true, false = ("1", "0") if dialect == "sqlite" else ("true", "false")
    return value.replace("<token>", TOKEN[dialect]).replace("<true>", true).replace("<false>", false)


@contextmanager
def _rebuilt(table: str, counted: frozenset[str]) -> Iterator[BatchOperations]:
    """Change a table; SQLite makes it anew. Its ids go on after the highest that was ever given out."""
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite and connection.scalar(sa.text("PRAGMA foreign_keys")):
        raise RuntimeError("foreign keys are enforced: a table made anew would take its children with it")
    highest = connection.scalar(_sequence(table)) if is_sqlite and table in COUNTED_OF_OLD else 0
    with op.batch_alter_table(table, table_kwargs={"sqlite_autoincrement": table in counted}) as batch:
        yield batch
    if highest:
        connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table})
        row = {"name": table, "seq": highest}
        connection.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"), row)


def _sequence(table: str) -> sa.TextClause:
    return sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name").bindparams(name=table)


def _checks_by_host() -> None:
    """Key the history of hosts by host and time, so that a host's lies together; of two at once one stays."""
    op.execute(
        "CREATE TEMPORARY TABLE kept_checks AS SELECT host_id, checked_at, sent, received, rtt_min_ms,"
        " rtt_median_ms, rtt_max_ms FROM host_checks AS c WHERE id ="
        " (SELECT min(id) FROM host_checks AS d WHERE d.host_id = c.host_id AND d.checked_at = c.checked_at)"
    )
    op.drop_table("host_checks")
    op.create_table(
        "host_checks",
        sa.Column("host_id", sa.Integer(), nullable=False),
        sa.Column("checked_at", STAMP, nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("span_s", sa.Integer(), nullable=False),
        sa.Column("rtt_min_ms", sa.Double()),
        sa.Column("rtt_median_ms", sa.Double()),
        sa.Column("rtt_max_ms", sa.Double()),
        sa.ForeignKeyConstraint(
            ["host_id"], ["hosts.id"], name=op.f("fk_host_checks_host_id_hosts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("host_id", "checked_at", name=op.f("pk_host_checks")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_host_checks_span_s_checked_at", "host_checks", ["span_s", "checked_at"])
    op.execute(
        "INSERT INTO host_checks (host_id, checked_at, sent, received, span_s, rtt_min_ms, rtt_median_ms,"
        " rtt_max_ms) SELECT host_id, checked_at, sent, received, 0, rtt_min_ms, rtt_median_ms, rtt_max_ms"
        " FROM kept_checks"
    )
    op.execute("DROP TABLE kept_checks")


def _indexes() -> None:
    op.create_index("ix_deliveries_created_at", "deliveries", ["created_at"])
    _index_where("ix_deliveries_open", "deliveries", ["lane", "next_attempt_at"], OPEN)
    tasks = ["assigned_to_id", "is_hidden", "project_id", "tracker_id", "is_private"]
    tasks += ["status_id", "priority_id", "due_date", "closed_on", "author_id"]
    op.create_index("ix_issues_tasks", "issues", tasks)
    unread = ["user_id", "snoozed_until", "read_at", "archived_at", "withdrawn_at"]
    _index_where("ix_notifications_unread", "notifications", unread, UNREAD)
    _index_where("ix_notifications_snoozed_until", "notifications", ["snoozed_until"], SNOOZED)
    surfaced = ["user_id", "surfaced_at", "id"]
    op.create_index("ix_notifications_user_id_surfaced_at", "notifications", surfaced)
    thread = ["user_id", "thread", "surfaced_at", "id"]
    op.create_index("ix_notifications_user_id_thread", "notifications", thread)
    op.create_index(op.f("ix_push_subscriptions_sign_in"), "push_subscriptions", ["sign_in"])


def _index_where(name: str, table: str, columns: list[str], condition: sa.TextClause) -> None:
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def _tables() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("at", STAMP, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_entries_subject"), "audit_entries", ["subject"])
    op.create_table(
        "channel_states",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("public_key", sa.String(length=128), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("problem_at", STAMP, nullable=True),
        sa.Column("last_success_at", STAMP, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_channel_states")),
    )
    op.create_table(
        "erp_people",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("full_name", sa.String(length=255), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("office", sa.String(length=255), nullable=False),
        sa.Column("department", sa.String(length=255), nullable=False),
        sa.Column("position", sa.String(length=255), nullable=False),
        sa.Column("phone", sa.String(length=64), nullable=False),
        sa.Column("vpn_end_date", sa.Date(), nullable=True),
        sa.Column("is_blocked", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("vpn_told", sa.String(length=128), nullable=False),
        sa.Column("gone_at", STAMP, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_erp_people")),
    )
    op.create_index(op.f("ix_erp_people_phone"), "erp_people", ["phone"])
    op.create_table(
        "job_gaps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("began_at", STAMP, nullable=False),
        sa.Column("ended_at", STAMP, nullable=True),
        sa.Column("caught_up_at", STAMP, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_gaps")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_job_gaps_job_id", "job_gaps", ["job", "id"])
    op.create_table(
        "issue_mutes",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("issue_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("created_at", STAMP, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_issue_mutes_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "issue_id", name=op.f("pk_issue_mutes")),
    )


def _host_tables() -> None:
    op.create_table(
        "host_acknowledgements",
        sa.Column("host_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by_name", sa.String(length=255), nullable=False),
        sa.Column("at", STAMP, nullable=False),
        sa.Column("until", STAMP, nullable=False),
        _of_host("host_acknowledgements"),
        sa.PrimaryKeyConstraint("host_id", name=op.f("pk_host_acknowledgements")),
    )
    op.create_table(
        "host_maintenance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("begins_at", STAMP, nullable=False),
        sa.Column("ends_at", STAMP, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by_name", sa.String(length=255), nullable=False),
        sa.Column("host_id", sa.Integer(), nullable=True),
        sa.Column("group_name", sa.String(length=255), nullable=True),
        _of_host("host_maintenance"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_host_maintenance")),
    )
    op.create_index(op.f("ix_host_maintenance_host_id"), "host_maintenance", ["host_id"])
    op.create_table(
        "host_outages",
        sa.Column("host_id", sa.Integer(), nullable=False),
        sa.Column("started_at", STAMP, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("ended_at", STAMP, nullable=True),
        sa.Column("reason", sa.String(length=255), nullable=False),
        _of_host("host_outages"),
        sa.PrimaryKeyConstraint("host_id", "started_at", name=op.f("pk_host_outages")),
    )
    op.create_index("ix_host_outages_started_at", "host_outages", ["started_at"])


def _of_host(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_host_id_hosts")
    return sa.ForeignKeyConstraint(["host_id"], ["hosts.id"], name=name, ondelete="CASCADE")


def downgrade() -> None:
    """Take it back. What only the new tables and columns held is gone."""
    for table in ("host_outages", "host_maintenance", "host_acknowledgements", "issue_mutes", "job_gaps"):
        op.drop_table(table)
    for table in ("erp_people", "channel_states", "audit_entries"):
        op.drop_table(table)
    _drop_indexes()
    _checks_by_id()
    for table in NEW:
        _narrow(table)
    op.create_index("ix_deliveries_state_next_attempt_at", "deliveries", ["state", "next_attempt_at"])
    op.create_index(op.f("ix_issues_assigned_to_id"), "issues", ["assigned_to_id"])
    _index_where("ix_notifications_unread", "notifications", ["user_id"], UNREAD_OF_OLD)


def _drop_indexes() -> None:
    op.drop_index("ix_deliveries_created_at", "deliveries")
    op.drop_index("ix_deliveries_open", "deliveries")
    op.drop_index("ix_issues_tasks", "issues")
    for name in ("unread", "snoozed_until", "user_id_surfaced_at", "user_id_thread"):
        op.drop_index(f"ix_notifications_{name}", "notifications")
    op.drop_index(op.f("ix_push_subscriptions_sign_in"), "push_subscriptions")


def _checks_by_id() -> None:
    """Give each check a number again; those that were added up from many stay as one."""
    op.execute("CREATE TEMPORARY TABLE kept_checks AS SELECT * FROM host_checks")
    op.drop_table("host_checks")
    op.create_table(
        "host_checks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("host_id", sa.Integer(), nullable=False),
        sa.Column("checked_at", STAMP, nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("rtt_min_ms", sa.Double()),
        sa.Column("rtt_median_ms", sa.Double()),
        sa.Column("rtt_max_ms", sa.Double()),
        _of_host("host_checks"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_host_checks")),
    )
    op.create_index("ix_host_checks_host_id_checked_at", "host_checks", ["host_id", "checked_at"])
    columns = "host_id, checked_at, sent, received, rtt_min_ms, rtt_median_ms, rtt_max_ms"
    op.execute(
        f"INSERT INTO host_checks ({columns}) SELECT {columns} FROM kept_checks"  # noqa: S608
        " ORDER BY host_id, checked_at"
    )
    op.execute("DROP TABLE kept_checks")


def _narrow(table: str) -> None:
    with op.batch_alter_table(table) as batch:
        for column in GONE.get(table, []):
            batch.add_column(sa.Column(column.name, column.type))
    if table == "deliveries":
        op.execute("UPDATE deliveries SET sent_at = finished_at WHERE state = 'sent'")
    with _rebuilt(table, COUNTED_OF_OLD) as batch:
        for name in UNIQUE.get(table, []):
            batch.drop_constraint(op.f(f"uq_{table}_{name}"), type_="unique")
        for column, _ in NEW[table]:
            batch.drop_column(column.name)

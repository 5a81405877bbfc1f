"""What the first news of a process would otherwise wait for: templates, catalogues, locales and statements.

They take a tenth of a second together, and whoever comes right behind the first would wait as well.
"""

from flask import Flask

from storage import addressed, arrivals, live, notifications, sign_ins
from storage.columns import utc_now
from storage.models import Notification
from storage.session import Database
from web.items import item_of
from web.language import CODES, reading_as

NOBODY = 0


def warm(app: Flask, database: Database) -> None:
    """Render a card in each language, and ask all that a notification and an arriving page ask for.

    Raises StorageError where the database is away.
    """
    card = _card()
    for language in CODES:
        with reading_as(app, language, "UTC"):
            item_of(card, html=True)
    with database.read() as reading:
        upto = notifications.newest_id(reading)
        addressed.after(reading.connection(), upto, 1)
        addressed.with_ids(reading.connection(), {NOBODY})
        notifications.of_user_between(reading, NOBODY, upto, upto, 1)
        notifications.unread_counts(reading, {NOBODY})
        live.after(reading.connection(), live.newest_id(reading), 1)
        sign_ins.find(reading, NOBODY, "")
        arrivals.unread(reading, NOBODY, "", "")


def _card() -> Notification:
    """Return a notification that is recorded nowhere, with each part that a common one has."""
    card = Notification(
        change_key="",
        user_id=NOBODY,
        type="status_change",
        reasons=["assignee"],
        title="",
        message="",
        created_at=utc_now(),
        issue_id=1,
        journal_id=1,
        project_id=1,
        details=[{"field": "status", "label": "", "old": "1", "new": "2"}],
        notes="1",
    )
    card.id, card.thread = 0, ""
    return card

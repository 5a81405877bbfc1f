"""What somebody has to do with: the projects of their news and of the tasks that Redmine shows them."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import Issue, Notification, TaskRight


def projects(session: Session, user_id: int) -> dict[int, str]:
    """Return the names of these projects by id, in alphabetical order."""
    known = {**_of_tasks(session, user_id), **_of_news(session, user_id)}
    return dict(sorted(known.items(), key=lambda entry: (entry[1].casefold(), entry[0])))


def subjects(session: Session, user_id: int, issue_ids: Iterable[int]) -> dict[int, str]:
    """Return what these issues were called when this user was last told of them."""
    query = sa.select(Notification.issue_id, Notification.subject).where(
        Notification.user_id == user_id,
        Notification.issue_id.in_(sorted(issue_ids)),
        Notification.withdrawn_at.is_(None),
        sa.not_(Notification.verify_at_show),
    )
    return {issue_id or 0: subject for issue_id, subject in session.execute(query.order_by(Notification.id))}


def _of_news(session: Session, user_id: int) -> dict[int, str]:
    mine = (
        Notification.user_id == user_id,
        Notification.withdrawn_at.is_(None),
        sa.not_(Notification.verify_at_show),
        Notification.project_id.is_not(None),
    )
    query = sa.select(Notification.project_id, sa.func.max(Notification.project_name))
    found = session.execute(query.where(*mine).group_by(Notification.project_id))
    return {project_id: name for project_id, name in found if project_id is not None}


def _of_tasks(session: Session, user_id: int) -> dict[int, str]:
    shown = sa.select(TaskRight.project_id).where(TaskRight.user_id == user_id, TaskRight.is_shown)
    found = {}
    for project_id in session.scalars(shown.distinct()):
        name = session.scalar(sa.select(Issue.project_name).where(Issue.project_id == project_id).limit(1))
        if name is not None:
            found[project_id] = name
    return found

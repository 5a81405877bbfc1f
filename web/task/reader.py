"""Redmine as one person sees it, with what changes rarely remembered for a while.

An answer is taken for this person's only after Redmine said that it is: to a dead key it answers as to
nobody, and to one whose owner is no administrator as to that owner, whomever we act as.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import structlog
from flask import abort, current_app

from daemon.clients.errors import NotFound, SourceError, SourceRefused
from daemon.clients.redmine import RedmineClient
from daemon.clients.values import Issue, Membership, Profile, Ref, Role, Standing
from web.answers import Problem
from web.language import gettext
from web.people import Person
from web.redmine import acting_as, translated
from web.task.cache import Cache
from web.viewer import viewer

EXTENSION = "helpdesk.task"
WHOLE = ("journals", "watchers", "attachments", "relations", "allowed_statuses")
# So long rights that were taken away still count for what is offered; before a write they are asked anew.
STANDING_S = 60.0
REFERENCE_S = 300.0
LARGEST_ID = 2**31 - 1  # of Redmine's columns
NON_MEMBER = ("Non member", 1)
log = structlog.get_logger(__name__)

Names = dict[tuple[str, int], str]


@dataclass(frozen=True, slots=True)
class Caches:
    """What one viewer process remembers of Redmine, by who asked."""

    standings: Cache[str, Standing] = field(default_factory=lambda: Cache(STANDING_S))
    roles: Cache[int, Role] = field(default_factory=lambda: Cache(STANDING_S))
    given_roles: Cache[str, tuple[Ref, ...]] = field(default_factory=lambda: Cache(REFERENCE_S))
    members: Cache[tuple[str, int], tuple[Membership, ...]] = field(
        default_factory=lambda: Cache(REFERENCE_S)
    )
    active: Cache[str, frozenset[int]] = field(default_factory=lambda: Cache(REFERENCE_S))
    profiles: Cache[tuple[str, int], Profile | None] = field(default_factory=lambda: Cache(REFERENCE_S, 5000))
    names: Cache[tuple[str, str, int], Names] = field(default_factory=lambda: Cache(REFERENCE_S, 2000))


def caches() -> Caches:
    """Return what this process remembers."""
    found: Caches = current_app.extensions.setdefault(EXTENSION, Caches())
    return found


class Reader:
    """One person's Redmine. Methods raise Problem unless they say otherwise."""

    def __init__(self, who: Person, client: RedmineClient) -> None:
        self.who = who
        self.client = client

    def standing(self, *, anew: bool = False) -> Standing:
        """Return who Redmine says we are, after making sure that it is this person."""
        with translated():
            found = caches().standings.get(self.who.redmine_login, self.client.standing, anew=anew)
        account = found.account
        is_right = (
            account.id == self.who.id_redmine_user
            if self.who.id_redmine_user is not None
            else account.login.casefold() == self.who.redmine_login.casefold()
        )
        if not is_right:
            log.error("redmine_answered_as_somebody_else", user_id=self.who.id, account=account.login)
            text = gettext("Redmine does not answer in your name. Tell your administrator.")
            raise Problem(503, "wrong_account", text)
        return found

    def issue(self, task_id: int) -> Issue:
        """Return a task with everything. One request to Redmine, once it is known who we are."""
        self.standing()
        with translated():
            return self.client.issue(known_id(task_id), WHOLE)

    def visible(self, ids: Collection[int]) -> frozenset[int]:
        """Return those of the tasks that this person sees."""
        self.standing()
        with translated():
            return self.client.visible_ids(list(ids))

    def permissions(self, project_id: int, *, anew: bool = False) -> frozenset[str]:
        """Return what this person's roles in a project allow; an administrator's are not asked for."""
        role_ids = self.standing().roles.get(project_id)
        with translated():
            roles = (
                [self._non_member(anew=anew)]
                if role_ids is None
                else [self._role(number, anew=anew) for number in sorted(role_ids)]
            )
        return frozenset().union(*(role.permissions for role in roles if role is not None))

    def _role(self, role_id: int, *, anew: bool = False) -> Role:
        return caches().roles.get(role_id, lambda: self.client.role(role_id), anew=anew)

    def _non_member(self, *, anew: bool) -> Role | None:
        """Return the role of those who are no members, None where this Redmine keeps it elsewhere.

        No list has it. Its id is 1, unless somebody built the database by hand; then nothing is allowed.
        """
        name, role_id = NON_MEMBER
        given = caches().given_roles.get("", self.client.roles)
        if any(role.id == role_id for role in given):
            return None
        try:
            return self._role(role_id, anew=anew)
        except NotFound:
            log.info("role_of_non_members_not_found", expected=name)
            return None

    def assignable(self, issue: Issue) -> list[tuple[Ref, bool]]:
        """Return to whom a task can be assigned, as (who, whether it is a group), by name.

        Members whose role takes issues and who are not locked, the author, and who has it now. What
        Redmine's own settings exclude besides (groups, perhaps) it refuses with a message.
        """
        found: dict[int, tuple[Ref, bool]] = {}
        with translated():
            members = self._members(issue.project.id)
            active = self._active()
            for one in members:
                takes = any(self._role(number).assignable for number in one.role_ids)
                if takes and (one.is_group or active is None or one.member.id in active):
                    found[one.member.id] = (one.member, one.is_group)
        author = issue.author
        if author.id and (active is None or author.id in active):
            found.setdefault(author.id, (author, False))
        if issue.assigned_to is not None:
            found.setdefault(issue.assigned_to.id, (issue.assigned_to, False))
        return sorted(found.values(), key=lambda pair: (pair[1], pair[0].name.casefold()))

    def _members(self, project_id: int) -> tuple[Membership, ...]:
        key = (self.who.redmine_login, project_id)
        return caches().members.get(key, lambda: self.client.memberships(project_id))

    def members_or_none(self, project_id: int) -> Iterable[Membership]:
        """Return the members of a project, none where they cannot be read. Raises nothing."""
        try:
            return self._members(project_id)
        except SourceError:
            return ()

    def _active(self) -> frozenset[int] | None:
        """Return the ids of all accounts that are not locked; None where that cannot be told.

        Asked with the service's key, as Redmine tells nobody else; it only shortens a list that this
        person may read whole.
        """
        service = viewer_client()
        try:
            return caches().active.get("", lambda: frozenset(user.id for user in service.users()))
        except SourceError as e:
            log.info("locked_accounts_not_known", error=str(e))
            return None

    def profile(self, user_id: int) -> Profile | None:
        """Return somebody's name and mail as this person sees them; None for a group or where hidden.

        Raises SourceError: what hangs on it can do without.
        """

        def load() -> Profile | None:
            try:
                return self.client.profile(user_id)
            except NotFound:
                return None
            except SourceRefused as e:
                if e.status != 403:
                    raise
                return None

        return caches().profiles.get((self.who.redmine_login, user_id), load)


def known_id(task_id: int) -> int:
    """Return the id, or 404 for one that no task can have and that would make Redmine stumble."""
    if not 0 < task_id <= LARGEST_ID:
        abort(404)
    return task_id


def reader_of(who: Person) -> Reader:
    """Return Redmine as this person sees it. Raises Problem (503, 409)."""
    return Reader(who, acting_as(who))


def viewer_client() -> RedmineClient:
    """Return Redmine as the owner of the service's key: for what is the same for everybody."""
    client = viewer().redmine
    assert client is not None  # noqa: S101 - there is a reader, so there is a Redmine
    return client

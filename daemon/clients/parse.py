"""Redmine's JSON -> values. Every function takes one object and raises MalformedError naming the key."""

from collections.abc import Collection

from pydantic import SecretStr

from daemon.clients.shapes import (
    Json,
    MalformedError,
    day_or_none,
    each,
    each_or_none,
    kind_of,
    moment,
    moment_or_none,
    number_or_none,
    one,
    one_or_none,
    storable,
    text,
    text_or_empty,
    text_or_none,
    truth,
    whole,
    whole_or_none,
)
from daemon.clients.values import (
    Account,
    Attachment,
    CustomField,
    CustomValue,
    Group,
    Issue,
    IssuePage,
    Journal,
    JournalDetail,
    Membership,
    Priority,
    Profile,
    Project,
    Ref,
    Relation,
    Role,
    Standing,
    Status,
    Tracker,
    User,
)

# Redmine leaves the key out where a person's row is gone from its database; one such issue must not
# stop the reading of all others.
NOBODY = Ref(0, "")


def ref(obj: Json) -> Ref:
    return Ref(whole(obj, "id"), text(obj, "name"))


def journal_detail(obj: Json) -> JournalDetail:
    return JournalDetail(
        property=text(obj, "property"),
        name=text(obj, "name"),
        old_value=_scalar_or_none(obj, "old_value"),
        new_value=_scalar_or_none(obj, "new_value"),
    )


def journal(obj: Json) -> Journal:
    return Journal(
        id=whole(obj, "id"),
        user=one_or_none(obj, "user", ref) or NOBODY,
        created_on=moment(obj, "created_on"),
        notes=text_or_empty(obj, "notes"),
        private_notes=truth(obj, "private_notes"),
        details=each(obj, "details", journal_detail),
    )


def attachment(obj: Json) -> Attachment:
    return Attachment(
        id=whole(obj, "id"),
        filename=text(obj, "filename"),
        filesize=whole(obj, "filesize"),
        content_type=text_or_empty(obj, "content_type"),
        author=one_or_none(obj, "author", ref),
        created_on=moment(obj, "created_on"),
        description=text_or_empty(obj, "description"),
    )


def relation(obj: Json) -> Relation:
    return Relation(
        id=whole(obj, "id"),
        issue_id=whole(obj, "issue_id"),
        issue_to_id=whole(obj, "issue_to_id"),
        relation_type=text(obj, "relation_type"),
        delay=whole_or_none(obj, "delay"),
    )


def custom_value(obj: Json) -> CustomValue:
    value = obj.get("value")
    return CustomValue(
        id=whole(obj, "id"),
        name=text(obj, "name"),
        value=tuple(map(_scalar, value)) if isinstance(value, list) else _scalar_or_none(obj, "value") or "",
    )


def _scalar_or_none(obj: Json, key: str) -> str | None:
    value = obj.get(key)
    return None if value is None else _scalar(value, key)


def _scalar(value: object, key: str = "value") -> str:
    """Values stay strings: "2024-05-05" in a text field is no date."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, int | float):
        return str(value)
    raise MalformedError(key, f"expected a text, found {kind_of(value)}")


def issue(obj: Json, include: Collection[str] = ()) -> Issue:
    """An issue; `include` is what was asked for, so that nothing asked for is missing unnoticed."""
    journals = each(obj, "journals", journal) if "journals" in include else None
    # Redmine leaves out an empty list of relations, but never an empty list of the other two.
    no_relations = () if "relations" in include else None
    return Issue(
        id=whole(obj, "id"),
        subject=text(obj, "subject"),
        description=text_or_empty(obj, "description"),
        project=one(obj, "project", ref),
        tracker=one(obj, "tracker", ref),
        status=one(obj, "status", ref),
        priority=one(obj, "priority", ref),
        author=one_or_none(obj, "author", ref) or NOBODY,
        assigned_to=one_or_none(obj, "assigned_to", ref),
        category=one_or_none(obj, "category", ref),
        fixed_version=one_or_none(obj, "fixed_version", ref),
        parent_id=one_or_none(obj, "parent", _id),
        is_private=truth(obj, "is_private"),
        start_date=day_or_none(obj, "start_date"),
        due_date=day_or_none(obj, "due_date"),
        done_ratio=whole_or_none(obj, "done_ratio") or 0,
        estimated_hours=number_or_none(obj, "estimated_hours"),
        created_on=moment(obj, "created_on"),
        updated_on=moment(obj, "updated_on"),
        closed_on=moment_or_none(obj, "closed_on"),
        custom_fields=each_or_none(obj, "custom_fields", custom_value) or (),
        # The order follows a preference of the acting user.
        journals=None if journals is None else tuple(sorted(journals, key=lambda j: j.id)),
        attachments=each(obj, "attachments", attachment) if "attachments" in include else None,
        relations=each_or_none(obj, "relations", relation) or no_relations,
        watchers=each_or_none(obj, "watchers", ref),
        allowed_statuses=each_or_none(obj, "allowed_statuses", ref),
    )


def _id(obj: Json) -> int:
    return whole(obj, "id")


def issue_page(obj: Json, include: Collection[str] = ()) -> IssuePage:
    return IssuePage(
        issues=each(obj, "issues", lambda item: issue(item, include)),
        total_count=whole(obj, "total_count"),
        offset=whole(obj, "offset"),
        limit=whole(obj, "limit"),
    )


def account_of(answer: Json) -> Account:
    return one(answer, "user", _account)


def _account(obj: Json) -> Account:
    key = text_or_none(obj, "api_key")
    return Account(
        id=whole(obj, "id"),
        login=text(obj, "login"),
        is_admin=truth(obj, "admin"),
        firstname=text(obj, "firstname"),
        lastname=text(obj, "lastname"),
        mail=text_or_none(obj, "mail"),
        api_key=None if key is None else SecretStr(key),
    )


def standing_of(answer: Json) -> Standing:
    return one(answer, "user", _standing)


def _standing(obj: Json) -> Standing:
    memberships = each_or_none(obj, "memberships", _project_roles) or ()
    return Standing(_account(obj), dict(memberships))


def _project_roles(obj: Json) -> tuple[int, frozenset[int]]:
    return one(obj, "project", _id), frozenset(each(obj, "roles", _id))


def membership(obj: Json) -> Membership | None:
    """A membership, or None for one whose member's row is gone."""
    group = one_or_none(obj, "group", ref)
    member = group or one_or_none(obj, "user", ref)
    if member is None:
        return None
    return Membership(member, group is not None, frozenset(each(obj, "roles", _id)))


def role(obj: Json) -> Role:
    permissions = obj.get("permissions")
    if not isinstance(permissions, list):
        raise MalformedError("permissions", f"expected a list, found {kind_of(permissions)}")
    # Redmine before 5.0 did not say whether a role's members may be assigned to.
    assignable = obj.get("assignable") is not False
    return Role(whole(obj, "id"), text(obj, "name"), assignable, frozenset(map(str, permissions)))


def profile(obj: Json) -> Profile:
    name = f"{text(obj, 'firstname')} {text(obj, 'lastname')}".strip()
    return Profile(whole(obj, "id"), name, text_or_none(obj, "mail"))


def user(obj: Json) -> User:
    return User(
        id=whole(obj, "id"),
        login=text(obj, "login"),
        firstname=text(obj, "firstname"),
        lastname=text(obj, "lastname"),
        mail=text_or_none(obj, "mail"),
        is_admin=truth(obj, "admin"),
        custom_fields=each_or_none(obj, "custom_fields", custom_value) or (),
    )


def group(obj: Json) -> Group:
    members = each_or_none(obj, "users", ref) or ()
    return Group(whole(obj, "id"), text(obj, "name"), frozenset(member.id for member in members))


def status(obj: Json) -> Status:
    return Status(whole(obj, "id"), text(obj, "name"), truth(obj, "is_closed"))


def priority(obj: Json) -> Priority:
    return Priority(whole(obj, "id"), text(obj, "name"), truth(obj, "is_default"), truth(obj, "active"))


def tracker(obj: Json) -> Tracker:
    return Tracker(whole(obj, "id"), text(obj, "name"), one_or_none(obj, "default_status", ref))


def project(obj: Json) -> Project:
    return Project(
        id=whole(obj, "id"),
        name=text(obj, "name"),
        identifier=text(obj, "identifier"),
        description=text_or_empty(obj, "description"),
        status=whole(obj, "status"),
        is_public=truth(obj, "is_public"),
        parent=one_or_none(obj, "parent", ref),
    )


def custom_field_of_issues(obj: Json) -> CustomField | None:
    """A custom field, or None for one of projects, users, time entries..."""
    if text(obj, "customized_type") != "issue":
        return None
    return CustomField(whole(obj, "id"), text(obj, "name"), truth(obj, "visible"), text(obj, "field_format"))

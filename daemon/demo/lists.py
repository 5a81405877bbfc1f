"""What an administrator sets up once: statuses, trackers, priorities, roles, custom fields.

Source: Redmine 5.0.4, the controllers and api views of these.
"""

from typing import Final

from daemon.demo.exchange import Answer, Call, StopError
from daemon.demo.guards import require_admin
from daemon.demo.model import CustomField, Json
from daemon.demo.render import ref

CORE_FIELDS: Final = (
    "assigned_to_id",
    "category_id",
    "fixed_version_id",
    "parent_issue_id",
    "start_date",
    "due_date",
    "estimated_hours",
    "done_ratio",
    "description",
)


def statuses(call: Call) -> Answer:
    rows = [{**ref(s), "is_closed": s.is_closed} for s in call.store.statuses.values()]
    return Answer.json({"issue_statuses": rows})


def trackers(call: Call) -> Answer:
    first_status = ref(call.store.statuses[1])
    rows = [
        {
            **ref(t),
            "default_status": first_status,
            "description": None,
            "enabled_standard_fields": list(CORE_FIELDS),
        }
        for t in call.store.trackers.values()
    ]
    return Answer.json({"trackers": rows})


def priorities(call: Call) -> Answer:
    rows = [{**ref(p), "is_default": p.id == 2, "active": True} for p in call.store.priorities.values()]
    return Answer.json({"issue_priorities": rows})


def roles(call: Call) -> Answer:
    """GET /roles.json: those that members can have."""
    return Answer.json({"roles": [ref(r) for r in call.store.roles.values() if not r.builtin]})


def role(call: Call, role_id: str) -> Answer:
    """GET /roles/ID.json with the rights."""
    found = call.store.roles.get(int(role_id))
    if found is None:
        raise StopError(404)
    body = {
        **ref(found),
        "assignable": True,
        "issues_visibility": found.issues_visibility,
        "time_entries_visibility": "all",
        "users_visibility": "all",
        "permissions": sorted(found.permissions),
    }
    return Answer.json({"role": body})


def custom_fields(call: Call) -> Answer:
    """GET /custom_fields.json for admins."""
    require_admin(call)
    trackers_of = [ref(t) for t in call.store.trackers.values()]
    rows = []
    for field in call.store.custom_fields.values():
        row = _custom_field(field, "issue")
        row["trackers"] = trackers_of
        row["roles"] = [ref(call.store.roles[r]) for r in sorted(field.role_ids)]
        rows.append(row)
    rows += [_custom_field(field, "user") for field in call.store.user_fields.values()]
    return Answer.json({"custom_fields": rows})


def _custom_field(field: CustomField, customized_type: str) -> Json:
    row: Json = {
        **ref(field),
        "customized_type": customized_type,
        "field_format": field.format,
        "regexp": "",
        "min_length": None,
        "max_length": None,
        "is_required": field.required,
        "is_filter": False,
        "searchable": False,
        "multiple": field.multiple,
        "default_value": None,
        "visible": field.visible,
    }
    if field.possible_values:
        row["possible_values"] = [{"value": v, "label": v} for v in field.possible_values]
    return row

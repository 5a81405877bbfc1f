"""Answers as Redmine 5.0 and 6.1 give them, with made-up people."""

from typing import Any

JOURNAL: dict[str, Any] = {
    "id": 58,
    "user": {"id": 6, "name": "Боб Разработчиков"},
    "notes": "Done.\r\nLook again.",
    "created_on": "2026-11-23T03:38:02Z",
    "private_notes": False,
    "details": [
        {"property": "attr", "name": "status_id", "old_value": "1", "new_value": "2"},
        {"property": "cf", "name": "1", "old_value": None, "new_value": "2024-05-05"},
        {"property": "attachment", "name": "3", "old_value": None, "new_value": "отчёт.pdf"},
    ],
}

ISSUE: dict[str, Any] = {
    "id": 7,
    "project": {"id": 1, "name": "Open project"},
    "tracker": {"id": 1, "name": "Bug"},
    "status": {"id": 2, "name": "In Progress", "is_closed": False},
    "priority": {"id": 2, "name": "Normal"},
    "author": {"id": 5, "name": "Ann Manager"},
    "assigned_to": {"id": 15, "name": "Support team"},
    "category": {"id": 4, "name": "Printers"},
    "fixed_version": {"id": 9, "name": "1.0"},
    "parent": {"id": 3},
    "subject": "Printer is on fire",
    "description": "It burns.\r\nBring water.",
    "start_date": "2026-11-23",
    "due_date": "2026-12-24",
    "done_ratio": 30,
    "is_private": False,
    "estimated_hours": 5.5,
    "spent_hours": 0.0,
    "custom_fields": [
        {"id": 1, "name": "Room", "value": "2024-05-05"},
        {"id": 2, "name": "Salary band", "value": None},
        {"id": 3, "name": "Colors", "multiple": True, "value": ["red", "blue"]},
    ],
    "created_on": "2026-11-23T03:37:00Z",
    "updated_on": "2026-11-23T03:38:02Z",
    "closed_on": None,
    "attachments": [
        {
            "id": 3,
            "filename": "отчёт.pdf",
            "filesize": 1024,
            "content_type": "application/pdf",
            "description": "",
            "content_url": "http://127.0.0.1/attachments/download/3/x.pdf",
            "author": {"id": 6, "name": "Боб Разработчиков"},
            "created_on": "2026-11-23T03:38:02Z",
        }
    ],
    "relations": [
        {"id": 2, "issue_id": 7, "issue_to_id": 8, "relation_type": "precedes", "delay": 0},
    ],
    "journals": [JOURNAL, JOURNAL | {"id": 12, "notes": None, "private_notes": True, "details": []}],
    "watchers": [{"id": 7, "name": "Carl Reporter"}],
    "allowed_statuses": [{"id": 2, "name": "In Progress", "is_closed": False}],
}

# What Redmine sends at the least: everything it may leave out is left out.
BARE_ISSUE: dict[str, Any] = {
    key: ISSUE[key]
    for key in ("id", "project", "tracker", "status", "priority", "author", "subject", "is_private")
} | {
    "description": None,
    "start_date": None,
    "due_date": None,
    "done_ratio": 0,
    "estimated_hours": None,
    "created_on": "2026-11-23T03:37:00Z",
    "updated_on": "2026-11-23T03:37:00Z",
    "closed_on": None,
}

ACCOUNT: dict[str, Any] = {
    "user": {
        "id": 6,
        "login": "bob",
        "admin": False,
        "firstname": "Боб",
        "lastname": "Разработчиков",
        "created_on": "2026-11-23T03:37:00Z",
        "last_login_on": None,
        "api_key": "48181acd22b3edaebc8a447868a7df7ce629920a",
    }
}

"""Made-up inboxes that look like real ones, for screenshots."""

from datetime import UTC, datetime, timedelta
from typing import Any

LONG_NOTE = {
    "ru": (
        "Проверил на двух машинах.\n\n"
        "1. На первой VPN держится не дольше десяти минут, затем клиент молча теряет маршрут.\n"
        "2. На второй всё работает, но там старая версия клиента.\n"
        "3. В журнале сервера в это время пусто.\n\n"
        "Похоже на несовместимость новой версии клиента с нашим сервером.\n"
        "Предлагаю откатить клиент и написать поставщику."
    ),
    "en": (
        "Tried it on two machines.\n\n"
        "1. On the first the VPN lasts ten minutes at most, then the client silently loses its route.\n"
        "2. On the second everything works, but it has an old version of the client.\n"
        "3. The server's log has nothing for that time.\n\n"
        "Looks as if the new client does not get on with our server.\n"
        "I suggest going back to the old client and writing to the vendor."
    ),
}
WORDS: dict[str, dict[str, str]] = {
    "ru": {
        "reader": "Анна Козлова",
        "pyotr": "Пётр Сидоров",
        "maria": "Мария Лебедева",
        "portal": "Внутренний портал",
        "office": "Офис и рабочие места",
        "push": "Пользователи не получают push-уведомления",
        "printer": "Принтер на третьем этаже не печатает",
        "vpn": "VPN отключается каждые десять минут",
        "report": "Отчёт по складу считается дольше часа",
        "laptop": "Ноутбук для нового сотрудника",
        "short": "Взял в работу, посмотрю журналы сервера.",
        "ask": "@anna посмотри, пожалуйста, когда будет время",
        "new": "Новая",
        "progress": "В работе",
        "normal": "Нормальный",
        "urgent": "Срочный",
        "stand": "Стенд",
    },
    "en": {
        "reader": "Anna Kozlova",
        "pyotr": "Pyotr Sidorov",
        "maria": "Maria Lebedeva",
        "portal": "Intranet",
        "office": "Office and workplaces",
        "push": "Users do not get push notifications",
        "printer": "The printer on the third floor does not print",
        "vpn": "VPN disconnects every ten minutes",
        "report": "The stock report takes over an hour",
        "laptop": "A laptop for a new colleague",
        "short": "I am on it and will look at the server's logs.",
        "ask": "@anna please have a look when you have time",
        "new": "New",
        "progress": "In Progress",
        "normal": "Normal",
        "urgent": "Urgent",
        "stand": "Environment",
    },
}


def detail(field: str, old: str | None, new: str | None, label: str = "") -> dict[str, Any]:
    """Return one change of a journal."""
    return {"field": field, "label": label, "old": old, "new": new}


def rows(language: str) -> list[dict[str, Any]]:
    """Return columns of notifications of every kind, oldest first."""
    w = WORDS[language]
    newest_first = [
        (
            1,
            "status_change",
            "push",
            "pyotr",
            ["assignee"],
            {
                "details": [
                    detail("status", w["new"], w["progress"]),
                    detail("assigned_to", None, w["reader"]),
                    detail("done_ratio", "0", "30"),
                ],
                "notes": w["short"],
            },
        ),
        (
            6,
            "assigned",
            "printer",
            "maria",
            ["assignee"],
            {
                "details": [detail("assigned_to", w["pyotr"], w["reader"])],
            },
        ),
        (
            38,
            "note_added",
            "vpn",
            "pyotr",
            ["watcher", "mentioned"],
            {
                "notes": LONG_NOTE[language],
                "is_private_note": True,
            },
        ),
        (95, "mention", "report", "maria", ["mentioned"], {"notes": w["ask"]}),
        (
            170,
            "priority_change",
            "report",
            "pyotr",
            ["author"],
            {
                "details": [detail("priority", w["normal"], w["urgent"])],
            },
        ),
        (60 * 25, "new_issue", "laptop", "maria", ["group_assignee"], {}),
        (
            60 * 26,
            "attachment_added",
            "printer",
            "pyotr",
            ["assignee"],
            {
                "details": [detail("attachment", None, "photo-of-the-printer.jpg")],
            },
        ),
        (
            60 * 27,
            "due_date_change",
            "laptop",
            "maria",
            ["watcher"],
            {
                "details": [
                    detail("due_date", "2026-01-15", "2026-02-01"),
                    detail("estimated_hours", None, "2.5"),
                ],
            },
        ),
        (
            60 * 50,
            "updated",
            "report",
            "pyotr",
            ["author"],
            {
                "details": [
                    detail("description", "a", "b"),
                    detail("custom_field", "Test", "Production", w["stand"]),
                    detail("is_private", "0", "1"),
                ],
            },
        ),
        (60 * 51, "issue_deleted", "push", "maria", ["previous_assignee"], {}),
        (60 * 74, "updated", "push", "maria", ["watcher"], {"verify_at_show": True}),
    ]
    now = datetime.now(UTC)
    return [
        {
            "created_at": now - timedelta(minutes=minutes),
            "type": kind,
            "issue_id": 12_340 + number,
            "subject": w[subject],
            "actor_name": w[actor],
            "project_name": w["office" if subject in {"printer", "laptop"} else "portal"],
            "reasons": reasons,
            "details": [],
        }
        | more
        for number, (minutes, kind, subject, actor, reasons, more) in reversed(list(enumerate(newest_first)))
    ]

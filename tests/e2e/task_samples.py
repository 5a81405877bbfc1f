"""Tasks for pictures: a few of everything, in both languages."""

from datetime import timedelta
from typing import Any

from storage.columns import utc_now

SUBJECTS = {
    "en": (
        "Users get no push notifications after the update of the portal",
        "The printer on the third floor prints only blank pages",
        "New laptop for the sales department",
        "Quarterly report of the service desk",
        "VPN drops every ten minutes",
        "Move the mail archive to the new storage",
        "Access to the warehouse system for two trainees",
        "The meeting room's projector shows a green picture",
    ),
    "ru": (
        "Пользователи не получают push-уведомления после обновления портала",
        "Принтер на третьем этаже печатает только пустые страницы",
        "Новый ноутбук для отдела продаж",
        "Квартальный отчёт службы поддержки",
        "VPN обрывается каждые десять минут",
        "Перенести почтовый архив на новое хранилище",
        "Доступ к складской системе для двух стажёров",
        "Проектор в переговорной показывает зелёную картинку",
    ),
}
SHAPES: tuple[dict[str, Any], ...] = (
    {"status_id": 2, "priority_id": 4, "due": -2},
    {"status_id": 1, "priority_id": 3, "due": 0, "project": 2},
    {"status_id": 1, "priority_id": 2, "due": 2, "project": 3},
    {"status_id": 3, "priority_id": 1, "due": 20},
    {"status_id": 2, "priority_id": 3, "due": -1, "is_private": True},
    {"status_id": 4, "priority_id": 2, "project": 2},
    {"status_id": 1, "priority_id": 2, "project": 3},
    {"status_id": 5, "priority_id": 2, "project": 2},
)
PROJECTS = {
    "en": {1: "Portal", 2: "Office", 3: "Equipment"},
    "ru": {1: "Портал", 2: "Офис", 3: "Оборудование"},
}


def rows(language: str) -> list[dict[str, Any]]:
    """Return the columns of eight tasks."""
    made = []
    for number, (subject, shape) in enumerate(zip(SUBJECTS[language], SHAPES, strict=True)):
        columns = dict(shape)
        due, project = columns.pop("due", None), columns.pop("project", 1)
        now = utc_now()
        columns |= {
            "language": language,
            "subject": subject,
            "project_id": project,
            "project_name": PROJECTS[language][project],
            "due_date": None if due is None else now.date() + timedelta(due),
            "updated_on": now - timedelta(hours=7 * number, minutes=20),
        }
        made.append(columns)
    return made

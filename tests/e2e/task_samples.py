"""Tasks for pictures: a few of everything, in both languages."""

import random
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


TRACKERS = {
    "en": {11: "Thanks", 12: "Complaint", 13: "Question", 14: "Suggestion"},
    "ru": {11: "Благодарность", 12: "Жалоба", 13: "Вопрос", 14: "Предложение"},
}


def praise(language: str) -> list[dict[str, Any]]:
    """Return the columns of a hundred issues of a month, of the trackers that quality control counts."""
    draw = random.Random(7)
    now = utc_now()
    made = []
    for _ in range(100):
        tracker, project = draw.choice([11, 12, 13, 13, 13, 14]), draw.choice([1, 1, 2, 3])
        made.append(
            {
                "language": language,
                "tracker_id": tracker,
                "tracker_name": TRACKERS[language][tracker],
                "project_id": project,
                "project_name": PROJECTS[language][project],
                "status_id": draw.choice([1, 2, 3, 5, 5]),
                "assigned_to_id": None,
                "created_on": now - timedelta(days=draw.triangular(0, 29, 8)),
            }
        )
    return made

"""The demo's own world: a small company whose people, projects and issues are all made up."""

import random
from typing import Any, Final

from daemon.demo.stories import NOTES, PRIVATE_NOTES, STORIES

DEMO_LOGIN: Final = "demo"
SHIFT: Final = "Дежурная смена"
PHONE_FIELD: Final = "Телефон"
NETWORK: Final = "Сетевые инженеры"

_PEOPLE: Final = (
    (DEMO_LOGIN, "Демо", "Пользователь"),
    ("sokolova", "Вера", "Соколова"),
    ("gusev", "Пётр", "Гусев"),
    ("melnik", "Олег", "Мельник"),
    ("orlova", "Инна", "Орлова"),
    ("tarasov", "Глеб", "Тарасов"),
    ("zaitsev", "Юрий", "Зайцев"),
    ("kuzmina", "Лидия", "Кузьмина"),
    ("belov", "Артём", "Белов"),
    ("frolova", "Нина", "Фролова"),
    ("nikitin", "Семён", "Никитин"),
    ("egorova", "Майя", "Егорова"),
)

_PROJECTS: Final = (
    {"identifier": "infra", "name": "Инфраструктура", "is_public": True},
    {"identifier": "vpn", "name": "Удалённый доступ", "is_public": True, "parent": "infra"},
    {"identifier": "erp", "name": "ERP и отчётность", "is_public": True},
    {"identifier": "portal", "name": "Корпоративный портал", "is_public": True},
    {"identifier": "phones", "name": "Телефония", "is_public": False},
    {"identifier": "security", "name": "Информационная безопасность", "is_public": False},
)

_MANAGERS: Final = {
    "infra": "sokolova",
    "vpn": "sokolova",
    "erp": "orlova",
    "portal": "kuzmina",
    "phones": "melnik",
    "security": "zaitsev",
}
_WITHOUT_DEMO: Final = "security"
"""The one project the demo user must never hear of."""

_REPORTERS: Final = ("frolova", "egorova")


def demo_world(seed: int = 2024) -> dict[str, Any]:
    """People, projects and sixty issues in the format of `daemon.demo.load`; the same for the same seed.

    The user `demo` (password `demo`) is assignee, author or watcher of more than half of what he sees.
    """
    return {
        "language": "ru",
        "roles": [],
        "user_fields": [{"name": PHONE_FIELD, "format": "string", "visible": True}],
        "users": [_person(number, *row) for number, row in enumerate(_PEOPLE, start=1)],
        "groups": [
            {"name": SHIFT, "users": [DEMO_LOGIN, "gusev", "tarasov"]},
            {"name": NETWORK, "users": ["belov", "nikitin"]},
        ],
        "projects": [dict(row) for row in _PROJECTS],
        "memberships": _memberships(),
        "custom_fields": [
            {"name": "Кабинет", "format": "string", "visible": True, "roles": []},
            {"name": "Смета", "format": "string", "visible": False, "roles": ["Менеджер"]},
        ],
        "issues": _issues(random.Random(seed)),  # noqa: S311 - a story, not a secret
    }


def people() -> list[tuple[str, str, str, int]]:
    """Return log-in, first name, last name and number of everybody in the company."""
    return [(*row, number) for number, row in enumerate(_PEOPLE, start=1)]


def _person(number: int, login: str, firstname: str, lastname: str) -> dict[str, Any]:
    row: dict[str, Any] = {"login": login, "firstname": firstname, "lastname": lastname, "language": "ru"}
    row["fields"] = {PHONE_FIELD: f"+7 (495) 555-01-{number:02}, доб. {1000 + number}"}
    return {**row, "password": DEMO_LOGIN} if login == DEMO_LOGIN else row


def _memberships() -> list[dict[str, Any]]:
    rows = []
    for project, manager in _MANAGERS.items():
        rows.append({"project": project, "who": manager, "roles": ["Менеджер"]})
        if project == _WITHOUT_DEMO:
            rows.append({"project": project, "who": "nikitin", "roles": ["Разработчик"]})
            continue
        rows.append({"project": project, "who": SHIFT, "roles": ["Разработчик"]})
        rows.append({"project": project, "who": NETWORK, "roles": ["Разработчик"]})
        rows += [{"project": project, "who": who, "roles": ["Репортёр"]} for who in _REPORTERS]
    return rows


def _issues(rng: random.Random) -> list[dict[str, Any]]:
    """Ten of each project, oldest first, so that a parent comes before its children."""
    rows = [_issue(rng, project, *story) for project, stories in STORIES.items() for story in stories]
    rng.shuffle(rows)
    rows.sort(key=lambda row: -float(row["days_ago"]))
    _tie(rows)
    return rows


def _issue(rng: random.Random, project: str, subject: str, description: str) -> dict[str, Any]:
    manager, inner = _MANAGERS[project], project == _WITHOUT_DEMO
    workers = (
        ["nikitin"] if inner else [DEMO_LOGIN, DEMO_LOGIN, "gusev", "tarasov", "belov", "nikitin", SHIFT]
    )
    authors = [manager] if inner else [DEMO_LOGIN, manager, *_REPORTERS]
    age = round(rng.uniform(1, 60), 2)
    status = rng.choice((1, 1, 2, 2, 2, 3, 4, 5))
    return {
        "project": project,
        "subject": subject,
        "description": description,
        "tracker": rng.choice((1, 2, 3)),
        "by": rng.choice(authors),
        "assigned_to": rng.choice([*workers, None]),
        "status": status,
        "priority": rng.choice((1, 2, 2, 2, 3, 3, 4, 5)),
        "done": 100 if status == 5 else rng.choice((0, 0, 10, 30, 50, 80)),
        "days_ago": age,
        "due_in_days": rng.choice((None, None, -3, 1, 2, 5, 9, 21)),
        "watchers": rng.sample([manager] if inner else [DEMO_LOGIN, manager, "kuzmina"], k=1),
        "notes": _notes(rng, manager, age),
    }


def _notes(rng: random.Random, manager: str, age: float) -> list[dict[str, Any]]:
    """A few notes after the issue's birth, oldest first; about every sixth private."""
    moments = sorted(
        (round(rng.uniform(0.05, age), 2) for _ in range(rng.choice((0, 1, 1, 2, 3)))), reverse=True
    )
    notes = []
    for moment in moments:
        private = rng.random() < 0.15
        text = rng.choice(PRIVATE_NOTES if private else NOTES)
        notes.append({"by": manager, "text": text, "private": private, "days_ago": moment})
    return notes


def _tie(rows: list[dict[str, Any]]) -> None:
    """Relate neighbours of one project, and give one issue of each some subtasks."""
    by_project: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        by_project.setdefault(row["project"], []).append(place)
    for places in by_project.values():
        rows[places[5]]["relates"] = [places[2]]
        rows[places[7]]["relates"] = [places[6]]
        rows[places[4]]["status"] = 2  # no closed parent of open subtasks
        for child in places[8:10]:
            rows[child]["parent"] = places[4]

"""Redmine's messages about refused values, in the acting user's language (config/locales of 5.0.4)."""

from datetime import date
from typing import Final

FIELDS: Final = {
    "assigned_to_id": ("Assignee", "Назначена"),
    "author_id": ("Author", "Автор"),
    "category_id": ("Category", "Категория"),
    "closed_on": ("Closed", "Закрыта"),
    "created_on": ("Created", "Создано"),
    "delay": ("Delay", "Отложить"),
    "description": ("Description", "Описание"),
    "done_ratio": ("% Done", "Готовность"),
    "due_date": ("Due date", "Срок завершения"),
    "estimated_hours": ("Estimated time", "Оценка временных затрат"),
    "filename": ("File", "Файл"),
    "fixed_version_id": ("Target version", "Версия"),
    "identifier": ("Identifier", "Уникальный идентификатор"),
    "firstname": ("First name", "Имя"),
    "lastname": ("Last name", "Фамилия"),
    "login": ("Login", "Пользователь"),
    "is_private": ("Private", "Частная"),
    "issue_id": ("Issue", "Задача"),
    "issue_to_id": ("Related issue", "Связанные задачи"),
    "name": ("Name", "Имя"),
    "parent_id": ("Parent task", "Родительская задача"),
    "parent_issue_id": ("Parent task", "Родительская задача"),
    "priority_id": ("Priority", "Приоритет"),
    "project_id": ("Project", "Проект"),
    "role": ("Role", "Роль"),
    "relation_type": ("Relation type", "Relation type"),
    "start_date": ("Start date", "Дата начала"),
    "status_id": ("Status", "Статус"),
    "subject": ("Subject", "Тема"),
    "tracker_id": ("Tracker", "Трекер"),
    "updated_on": ("Updated", "Обновлено"),
    "watcher_id": ("Watcher", "Наблюдатель"),
    "user_id": ("User", "Пользователь"),
    "watchers": ("Watchers", "Watchers"),
}

PROBLEMS: Final = {
    "empty": ("cannot be empty", "не может быть пустым"),
    "blank": ("cannot be blank", "не может быть пустым"),
    "inclusion": ("is not included in the list", "имеет непредусмотренное значение"),
    "invalid": ("is invalid", "имеет неверное значение"),
    "not_a_date": ("is not a valid date", "is not a valid date"),
    "not_a_number": ("is not a number", "не является числом"),
    "taken": ("has already been taken", "уже существует"),
    "too_long": (
        "is too long (maximum is {count} characters)",
        "слишком большой длины (не может быть больше чем {count} символа)",
    ),
    "greater_than_start_date": ("must be greater than start date", "должна быть позднее даты начала"),
    "earlier_than_minimum_start_date": (
        "cannot be earlier than {date} because of preceding issues",
        "не может быть раньше {date} из-за предыдущих задач",
    ),
    "not_same_project": ("doesn't belong to the same project", "не относится к одному проекту"),
}

SENTENCES: Final = {
    "circular_dependency": (
        "This relation would create a circular dependency",
        "Такая связь приведёт к циклической зависимости",
    ),
    "cant_link_an_issue_with_a_descendant": (
        "An issue cannot be linked to one of its subtasks",
        "Задача не может быть связана со своей подзадачей",
    ),
    "open_issue_with_closed_parent": (
        "An open issue cannot be attached to a closed parent task",
        "Открытая задача не может быть добавлена к закрытой родительской задаче",
    ),
    "reopen_on_closed_version": (
        "An issue assigned to a closed version cannot be reopened",
        "Задача, назначенная к закрытой версии, не сможет быть открыта снова",
    ),
    "attachments_not_saved": (
        "{count} file(s) could not be saved.",
        "{count} файл(ов) невозможно сохранить.",
    ),
    "attachment_too_big": (
        "This file cannot be uploaded because it exceeds the maximum allowed file size ({max_size})",
        "Этот файл нельзя загрузить из-за превышения максимального размера файла ({max_size})",
    ),
}


def problem(language: str, field: str, kind: str, **values: object) -> str:
    """A whole message such as "Subject cannot be blank"; `field` may also be a custom field's own name."""
    names = FIELDS.get(field, (field, field))
    at = int(language == "ru")
    return f"{names[at]} {PROBLEMS[kind][at].format(**values)}"


def sentence(language: str, kind: str, **values: object) -> str:
    """A message about the whole row."""
    return SENTENCES[kind][int(language == "ru")].format(**values)


def local_date(language: str, day: date) -> str:
    """A date as Redmine writes it into a message."""
    return day.strftime("%d.%m.%Y" if language == "ru" else "%m/%d/%Y")

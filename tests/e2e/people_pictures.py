"""States of the pages about people and news, for screenshots."""

from typing import TYPE_CHECKING

from playwright.sync_api import Page

from storage import posts, users
from tests.e2e.people import admin
from tests.e2e.viewer import Person, ViewerUnderTest

if TYPE_CHECKING:
    from tests.e2e.screenshots import Look

NEWS = {
    "ru": (
        (
            "Плановые работы в пятницу",
            (
                "В пятницу **с 18:00 до 20:00** не будет доступа к Redmine.\n\n"
                "- сохраните черновики заранее\n- VPN продолжит работать\n\n"
                "| Служба | Перерыв |\n|---|---|\n| Redmine | 2 ч |\n| Почта | нет |"
            ),
        ),
        ("Обновление системы уведомлений", "Добавлена поддержка push-уведомлений. Включите их в профиле."),
    ),
    "en": (
        (
            "Maintenance on Friday",
            (
                "On Friday **from 18:00 to 20:00** Redmine will be away.\n\n"
                "- save your drafts in time\n- VPN keeps working\n\n"
                "| Service | Break |\n|---|---|\n| Redmine | 2 h |\n| Mail | none |"
            ),
        ),
        ("New notifications", "Push notifications are here. Switch them on in your profile."),
    ),
}
PEOPLE = {
    "ru": (("Пётр Сидоров", "Сопровождение"), ("Анна Козлова", "Отдел разработки"), ("Ольга Ким", "Склад")),
    "en": (("Peter Sidorov", "Support"), ("Anna Kozlova", "Development"), ("Olga Kim", "Store")),
}


def profile(look: "Look") -> Page:
    person = _described(look, look.person())
    look.desk.page(person, path="/notifications")
    return look.page(person, "/users/profile")


def profile_refused(look: "Look") -> Page:
    look.desk.allow("status of 422")
    page = look.page(_described(look, look.person()), "/users/profile")
    page.locator("#phone").fill("call me!")
    page.locator("#profile button[type=submit]").click()
    page.get_by_role("alert").wait_for()
    return page


def password(look: "Look") -> Page:
    return look.page(look.person(), "/users/password")


def news(look: "Look") -> Page:
    writer = _writer(look)
    reader = look.person()
    _publish(look, writer)
    return look.page(reader, "/posts?per_page=2")


def no_news(look: "Look") -> Page:
    return look.page(look.person(), "/posts?page=999")


def post(look: "Look") -> Page:
    writer = _writer(look)
    return look.page(writer, f"/posts/{_publish(look, writer)}")


def post_form(look: "Look") -> Page:
    writer = _writer(look)
    return look.page(writer, f"/posts/{_publish(look, writer)}/edit")


def people(look: "Look") -> Page:
    chief = _writer(look)
    for name, department in PEOPLE[look.language]:
        person = look.desk.viewer.person(full_name=name, language=look.language)
        _change(look.desk.viewer, person, department=department, is_active="Ким" not in name)
    return look.page(chief, "/admin/users?per_page=20")


def one_user(look: "Look") -> Page:
    person = _described(look, look.person())
    return look.page(_writer(look), f"/admin/users/{person.id}")


def api_docs(look: "Look") -> Page:
    page = look.page(look.person(), "/api/docs")
    page.locator(".opblock-tag").first.wait_for()
    return page


STATES = (profile, profile_refused, password, news, no_news, post, post_form, people, one_user, api_docs)


def _writer(look: "Look") -> Person:
    name = PEOPLE[look.language][1][0]
    return admin(look.desk.viewer, full_name=name, language=look.language, theme=look.theme)


def _publish(look: "Look", writer: Person) -> int:
    with look.desk.viewer.database.write() as session:
        made = [posts.add(session, writer.id, title, text) for title, text in reversed(NEWS[look.language])]
        return made[-1].id


def _described(look: "Look", person: Person) -> Person:
    is_russian = look.language == "ru"
    _change(
        look.desk.viewer,
        person,
        email="anna.kozlova@example.test",
        department=PEOPLE[look.language][1][1],
        position="Ведущий инженер" if is_russian else "Lead engineer",
        phone="+7-999-123-45-67",
        id_redmine_user=123,
        redmine_login="anna.kozlova",
    )
    return person


def _change(viewer: ViewerUnderTest, person: Person, **columns: object) -> None:
    with viewer.database.write() as session:
        user = users.find(session, person.id)
        for name, value in columns.items():
            setattr(user, name, value)

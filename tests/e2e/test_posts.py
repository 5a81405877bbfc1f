"""Posts in a browser: written, arriving, read."""

import pytest
from playwright.sync_api import expect

from tests.e2e.desk import Desk, expect_live
from tests.e2e.people import admin
from tests.e2e.viewer import ViewerUnderTest

pytestmark = [pytest.mark.real, pytest.mark.long]


def test_a_post_is_written_and_arrives_at_every_open_page(desk: Desk, viewer: ViewerUnderTest) -> None:
    writer, reader = admin(viewer, full_name="Anna Kozlova"), viewer.person()
    inbox, news = desk.inbox(reader), desk.inbox(reader, path="/posts")
    page = desk.inbox(writer, path="/posts")
    page.locator("#new-post").click()
    page.get_by_label("Title").fill("Power cut on <Friday>")
    page.get_by_label("Text").fill("**Save** your work.\n\n- floor 1\n- floor 2")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("#post-title")).to_have_text("Power cut on <Friday>")
    expect(page.locator(".prose strong")).to_have_text("Save")
    expect(inbox.locator(".toast-text")).to_have_text("Power cut on <Friday>")
    expect(inbox.locator("#news-count")).to_be_visible()
    arrived = news.locator(".post.is-unread", has_text="Power cut on")
    expect(arrived).to_be_visible()
    arrived.get_by_role("link").click()
    expect(news.locator(".prose li")).to_have_count(2)
    news.goto("/posts")
    expect(news.locator(".post", has_text="Power cut on")).not_to_have_class("card post is-unread")


def test_a_post_is_changed_and_deleted(desk: Desk, viewer: ViewerUnderTest) -> None:
    page = desk.inbox(admin(viewer), path="/posts/new")
    page.get_by_label("Title").fill("First words")
    page.get_by_label("Text").fill("x")
    page.get_by_role("button", name="Publish").click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Title").fill("Second words")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#post-title")).to_have_text("Second words")
    page.locator(".ask > summary").press("Enter")
    page.get_by_role("button", name="Yes, delete it").click()
    expect(page).to_have_url(f"{viewer.url}/posts")
    expect(page.get_by_text("Second words")).to_have_count(0)


def test_a_reader_is_offered_nothing_to_write(desk: Desk, viewer: ViewerUnderTest) -> None:
    page = desk.inbox(viewer.person(), path="/posts")
    expect_live(page)
    expect(page.locator("#new-post")).to_have_count(0)
    page.goto("/posts/new")
    expect(page.locator(".empty-header")).to_have_text("403")


def test_no_message_pops_up_for_those_who_switched_that_off(desk: Desk, viewer: ViewerUnderTest) -> None:
    writer, reader = admin(viewer), viewer.person()
    page = desk.inbox(reader, path="/users/profile")
    page.get_by_label("Full name").fill("Quiet Reader")
    page.get_by_label("Pop-up messages on the page").uncheck()
    page.locator("#profile").get_by_role("button", name="Save").click()
    expect(page.locator(".saved")).to_be_visible()
    expect_live(page)
    form = desk.inbox(writer, path="/posts/new")
    form.get_by_label("Title").fill("Quiet news")
    form.get_by_label("Text").fill("x")
    form.get_by_role("button", name="Publish").click()
    expect(page.locator("#news-count")).to_be_visible()
    expect(page.locator("#announcer")).to_contain_text("Quiet news")
    expect(page.locator(".toast")).to_have_count(0)

"""Several viewers behind nginx are one: nobody has to go to the same one twice."""

import time

import requests

from tests.cluster.desk import AUTHOR, WRITER, Desk
from tests.services.processes import wait_until
from tests.web.crowd import Crowd, Member

UNREAD = "/tasks/api/notifications?unread_only=true"


def test_a_session_of_one_viewer_is_one_of_all(desk: Desk) -> None:
    first, second = desk.fleet.viewer_urls
    session = desk.fleet.log_in(AUTHOR, first)
    cookies = {cookie.name: cookie.value for cookie in session.cookies}
    for url in (first, second, desk.fleet.url):
        assert requests.get(url + UNREAD, cookies=cookies, timeout=15).status_code == 200
    assert session.get(f"{first}/users/logout", timeout=15, allow_redirects=False).status_code < 400
    for url in (first, second, desk.fleet.url):
        assert requests.get(url + UNREAD, cookies=cookies, timeout=15).status_code == 401


def test_what_is_read_or_ended_at_one_viewer_shows_at_the_other(desk: Desk) -> None:
    first, second = desk.fleet.viewer_urls
    desk.wait_told(desk.note())
    session = desk.fleet.log_in(AUTHOR, first)
    cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)
    page = Member(second, cookie, last=0)
    with Crowd([page]) as crowd:
        crowd.wait(lambda: len(page.ids()) == 1)
        number = page.ids()[0]
        assert session.put(f"{first}/tasks/api/notifications/{number}/read", timeout=15).status_code == 200
        crowd.wait(lambda: any(read["ids"] == [number] for read in page.named("notifications_read")))
        session.get(f"{first}/users/logout", timeout=15, allow_redirects=False)
        crowd.wait(lambda: bool(page.named("session_ended")))


def test_who_looks_at_a_task_is_seen_across_viewers(desk: Desk) -> None:
    first, second = desk.fleet.viewer_urls
    pages = [desk.fleet.reader(AUTHOR, first), desk.fleet.reader(WRITER, second)]
    with Crowd(pages) as crowd:
        for page in pages:
            answer = crowd.run(page.client.call("viewing", {"task_id": desk.issue}))
            assert answer["success"] is True
        crowd.wait(lambda: all(names(page) == [AUTHOR, WRITER] for page in pages))


def names(page: Member) -> list[str]:
    """Return who a page shows as looking at its task."""
    told = page.named("viewers")
    return sorted(person["name"] for person in told[-1]["people"]) if told else []


def test_requests_go_to_every_viewer_and_none_is_missed_when_it_dies(desk: Desk) -> None:
    dead, living = desk.fleet.viewers
    pages = [desk.fleet.reader(AUTHOR) for _ in range(6)]
    with Crowd(pages) as crowd:
        desk.note()
        crowd.wait(lambda: all(len(page.ids()) == 1 for page in pages))
        dead.kill()
        desk.note()
        began = time.monotonic()
        for _ in range(20):  # nginx turns to the other one within the same request
            assert requests.get(f"{desk.fleet.url}/healthz", timeout=15).status_code == 200
        print(f"20 requests beside a dead viewer took {time.monotonic() - began:.1f} s")
        crowd.wait(lambda: all(len(page.ids()) == 2 for page in pages))
        came_back = [page for page in pages if page.connects == 2]
        assert 0 < len(came_back) < len(pages)
        dead.start()
        assert wait_until(lambda: desk.fleet.is_well(0), within_s=60), desk.fleet.story()
        living.kill()
        desk.note()
        crowd.wait(lambda: all(len(page.ids()) == 3 for page in pages))
    desk.require_each_once()
    assert all(page.is_in_order() for page in pages)

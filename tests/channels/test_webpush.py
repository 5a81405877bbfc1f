"""What goes to a push service: encrypted for the browser, signed for the service, never too long."""

import base64
import json
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from py_vapid import Vapid02
from pydantic import ValidationError

from daemon import vapid
from daemon.channel import DeliveryFailed, Surroundings
from daemon.channels.webpush import (
    LONGEST_AGAIN,
    LONGEST_PLAIN,
    Channel,
    Options,
    cut,
    default_contact,
    payload,
    topic,
    urgency,
)
from daemon.clients.settings import SettingsError
from tests.channels.samples import parcel
from tests.channels.sink import Browser, Sink

SURROUNDINGS = Surroundings("https://helpdesk.example.com", Path())


def claims(header: str) -> dict[str, Any]:
    """Return what a VAPID header says, its signature checked."""
    assert Vapid02.verify(header)
    part = header.split("t=")[1].split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def test_the_browser_can_read_what_the_service_cannot(
    make_channel: Callable[..., Channel], sink: Sink
) -> None:
    browser = Browser("one", sink.origin())
    make_channel().send([parcel(browser.device)])
    [post] = sink.posts
    assert browser.decrypt(post.body) == {
        "v": 1,
        "id": 77,
        "type": "status_change",
        "url": "/tasks/7#change-11",
        "tag": "issue:7",
        "issue_id": 7,
        "unread": 3,
        "receipt": "receipt-1",
        "at": "2026-03-01T12:00:00Z",
        "lang": "ru",
        "urgent": False,
        "title": "Статус задачи изменён",
        "subject": "Не печатает принтер",
        "message": "Задача #7 переведена в статус «В работе»",
    }
    assert "принтер".encode() not in post.body


def test_a_service_keeps_a_ringing_call_for_a_minute(
    make_channel: Callable[..., Channel], sink: Sink
) -> None:
    make_channel(expires_h=2.0).send([parcel(Browser("one", sink.origin()).device, type="call")])
    assert sink.posts[0].headers["ttl"] == "60"


def test_the_headers_say_how_long_how_urgent_and_what_it_replaces(
    make_channel: Callable[..., Channel], sink: Sink
) -> None:
    make_channel(expires_h=2.0).send([parcel(Browser("one", sink.origin()).device)])
    headers = sink.posts[0].headers
    assert headers["ttl"] == "7200"
    assert headers["urgency"] == "normal"
    assert headers["topic"] == topic("issue:7")
    assert headers["content-encoding"] == "aes128gcm"
    assert headers["content-type"] == "application/octet-stream"


def test_each_service_gets_a_signature_of_its_own_and_the_same_again(
    make_channel: Callable[..., Channel], sink: Sink
) -> None:
    channel = make_channel()
    for name in ("one", "two"):
        channel.send([parcel(Browser(name, sink.origin()).device)])
    first, second = (post.headers["authorization"] for post in sink.posts)
    said = claims(first)
    assert first == second, "signing takes as long as encrypting"
    assert said["aud"] == sink.origin()
    assert said["sub"] == "mailto:admin@example.com"
    assert 11 * 3600 < said["exp"] - time.time() <= 12 * 3600
    assert f"k={channel.public_key}" in first


def test_connections_are_used_again(make_channel: Callable[..., Channel], sink: Sink) -> None:
    channel = make_channel()
    for number in range(5):
        channel.send([parcel(Browser(str(number), sink.origin()).device)])
    assert sink.connections == 1


def test_a_connection_that_was_closed_meanwhile_costs_nothing(
    make_channel: Callable[..., Channel], sink: Sink
) -> None:
    def closes(handler: Any) -> None:
        handler.answer(201)
        handler.close_connection = True
        closed.set()

    closed = threading.Event()
    sink.behaviours["/push/one"] = closes
    channel = make_channel()
    browser = Browser("one", sink.origin())
    for _ in range(3):
        closed.clear()
        channel.send([parcel(browser.device)])
        assert closed.wait(5)
    assert len(sink.posts) == 3


def test_many_are_sent_at_once(make_channel: Callable[..., Channel], sink: Sink) -> None:
    """Each waits for all the others, so one after another would never end."""
    together = threading.Barrier(8)

    def meets(handler: Any) -> None:
        together.wait(10)
        handler.answer(201)

    channel = make_channel(timeout_s=20.0)
    devices = [Browser(str(number), sink.origin()).device for number in range(8)]
    sink.behaviours = {f"/push/{number}": meets for number in range(8)}
    threads = [threading.Thread(target=channel.send, args=([parcel(device)],)) for device in devices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(sink.posts) == 8
    assert not together.broken


@pytest.mark.parametrize(
    ("news", "expected"),
    [
        ({"type": "mention"}, "high"),
        ({"type": "assigned"}, "high"),
        ({"type": "call"}, "high"),
        ({"type": "updated", "is_urgent": True}, "high"),
        ({"type": "status_change"}, "normal"),
        ({"type": "reminder"}, "normal"),
        ({"type": "updated"}, "low"),
        ({"type": "attachment_added"}, "low"),
    ],
)
def test_a_phone_is_woken_only_for_what_asks_for_somebody(news: dict[str, Any], expected: str) -> None:
    assert urgency(parcel(**news)) == expected


def test_the_topic_is_of_the_thread_and_fits() -> None:
    assert topic("issue:7") == topic("issue:7") != topic("issue:8")
    assert len(topic("issue:" + "7" * 200)) == 32
    assert set(topic("issue:7")) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * 10_000,
        "ж" * 10_000,
        "👩‍👩‍👧" * 3_000,
        '"' * 10_000,
        "\\" * 10_000,
        "\x00" * 10_000,
        "\ud83d" * 10_000,
    ],
    ids=["nothing", "latin", "cyrillic", "families", "quotes", "backslashes", "zeros", "halves"],
)
@pytest.mark.parametrize("longest", [LONGEST_PLAIN, LONGEST_AGAIN])
def test_no_text_makes_it_too_long(text: str, longest: int) -> None:
    written = payload(parcel(title=text, message=text, subject=text), SURROUNDINGS, longest)
    read = json.loads(written)
    assert len(written) <= longest
    assert read["url"] == "/tasks/7#change-11"
    assert read["receipt"] == "receipt-1"
    if text:
        assert read["title"].endswith("…")
        assert read["message"].endswith("…")


def test_a_text_that_fits_is_not_touched() -> None:
    assert cut("Принтер", 14) == "Принтер"
    assert cut("Принтер", 13) == "Принт…"
    assert cut("Принтер", 5) == "П…"
    assert cut("Принтер", 2) == ""
    assert cut('"""""', 9) == '"""…', "as they stand in the payload quotes take two bytes"


def test_what_the_service_finds_too_long_is_tried_again_with_less(
    make_channel: Callable[..., Channel], sink: Sink
) -> None:
    browser = Browser("one", sink.origin())
    channel = make_channel()
    channel.send([parcel(browser.device, message="x" * 9_000)])
    channel.send([parcel(browser.device, message="x" * 9_000, attempt=2)])
    assert [len(post.body) for post in sink.posts] == [4096, LONGEST_AGAIN + 103]


@pytest.mark.parametrize(
    ("public_url", "expected"),
    [
        ("https://helpdesk.example.com", "https://helpdesk.example.com"),
        ("https://helpdesk.example.com:8443/desk", "https://helpdesk.example.com"),
        ("http://helpdesk.example.com", "mailto:helpdesk@"),
        ("https://intranet", "mailto:helpdesk@"),
    ],
)
def test_services_are_told_whom_to_turn_to(public_url: str, expected: str) -> None:
    assert default_contact(public_url).startswith(expected)


@pytest.mark.parametrize(
    "contact", ["admin@example.com", "mailto:admin", "http://x.example.com", "https://a.b/c"]
)
def test_a_contact_that_services_would_refuse_is_refused_at_the_start(contact: str) -> None:
    with pytest.raises(ValidationError, match="contact"):
        Options(contact=contact)


def test_a_key_that_is_none_is_found_before_anything_is_sent(
    make_channel: Callable[..., Channel], sink: Sink
) -> None:
    device = Browser("one", sink.origin()).device
    for broken in (replace(device, p256dh="AAAA"), replace(device, auth=""), replace(device, p256dh="")):
        with pytest.raises(DeliveryFailed, match="not usable") as failed:
            make_channel().send([parcel(broken)])
        assert failed.value.outcome == "failed"
    assert sink.posts == []


def test_the_key_is_made_once_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "new" / "vapid.pem"
    first = vapid.public_key(vapid.read_or_make(file))
    assert vapid.public_key(vapid.read_or_make(file)) == first
    assert len(first) == 87
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["vapid.pem"]
    with pytest.raises(FileExistsError):
        vapid.make(file)


def test_two_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    file = tmp_path / "vapid.pem"
    keys: list[str] = []
    threads = [
        threading.Thread(target=lambda: keys.append(vapid.public_key(vapid.read_or_make(file))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1
    assert len(keys) == 8


@pytest.mark.parametrize(
    ("content", "mode", "expected"),
    [
        (b"", 0o600, "holds no private key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0o600, "holds no private key"),
        (None, 0o644, "chmod 600"),
    ],
)
def test_a_file_that_holds_no_good_key_is_named_and_left_alone(
    tmp_path: Path, content: bytes | None, mode: int, expected: str
) -> None:
    file = tmp_path / "vapid.pem"
    if content is None:
        vapid.make(file)
    else:
        file.write_bytes(content)
    before = file.read_bytes()
    file.chmod(mode)
    with pytest.raises(SettingsError, match=expected):
        vapid.read_or_make(file)
    assert file.read_bytes() == before

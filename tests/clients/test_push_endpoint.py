"""Which addresses and keys of a push subscription are taken."""

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from daemon.clients.push_endpoint import PushServices, check_endpoint, decode_key, origin, push_services

POINT = (
    ec.generate_private_key(ec.SECP256R1())
    .public_key()
    .public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
)
SECRET = bytes(range(240, 256))


@pytest.mark.parametrize(
    "url",
    [
        "https://fcm.googleapis.com/fcm/send/dZ:APA91b-_x",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAAA==",
        "https://web.push.apple.com/QA?b=1",
        "https://wns2-par02p.notify.windows.com/w/?token=Bw%3d",
        "https://FCM.googleapis.com:443/x",
    ],
)
def test_the_services_of_the_browsers_are_allowed(url: str) -> None:
    assert check_endpoint(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com:0/x",
        "https://fcm.googleapis.com:port/x",
        "https://fcm.googleapis.com./x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evilfcm.googleapis.com.example/x",
        "https://notify.windows.com/x",
        "https://xnotify.windows.com/x",
        "https://a.notify.windows.com@evil.example/",
        "https://evil.example#fcm.googleapis.com",
        "https://evil.example\\@fcm.googleapis.com/x",
        "https://fcm.googleapis.com\\.evil.example/x",
        "https://fcm.googleapis.com/a b",
        "https://fcm.googleapis.com/a\r\nX-Header: 1",
        "https://fcm。googleapis.com/x",
        "https:///x",
        "https:fcm.googleapis.com",
        "//fcm.googleapis.com/x",
        "file:///etc/passwd",
        "gopher://fcm.googleapis.com/",
        "",
        "https://fcm.googleapis.com/" + "x" * 2048,
    ],
)
def test_anything_else_is_not(url: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        check_endpoint(url)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "localhost",
        "169.254.169.254",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "100.64.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fe80::1%25eth0]",
        "[64:ff9b::7f00:1]",
        "8.8.8.8",
        "intranet",
    ],
)
def test_an_address_instead_of_a_name_is_refused_even_where_every_service_is_allowed(host: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        check_endpoint(f"https://{host}/x", ["*"])


def test_every_name_may_be_allowed() -> None:
    assert check_endpoint("https://push.example.com/x", ["*"])


def test_an_extra_origin_is_exempt_and_nothing_beside_it() -> None:
    extra = ("http://127.0.0.1:8081", "https://push.intranet:8443")
    assert check_endpoint("http://127.0.0.1:8081/wpush/1", (), extra)
    assert check_endpoint("https://PUSH.intranet:8443/1", (), extra)
    for other in ("http://127.0.0.1:8082/", "https://127.0.0.1:8081/", "http://127.0.0.1:8081@evil.example/"):
        with pytest.raises(ValueError, match=r"\w"):
            check_endpoint(other, (), extra)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Push.example.com:443/a?b", "https://push.example.com"),
        ("http://push.example.com:80", "http://push.example.com"),
        ("https://push.example.com:8443/", "https://push.example.com:8443"),
        ("https://[::1]:9/", "https://[::1]:9"),
    ],
)
def test_an_origin_names_the_port_only_where_it_is_unusual(url: str, expected: str) -> None:
    assert origin(url) == expected


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("padding", ["kept", "cut"])
def test_keys_are_taken_in_both_alphabets_padded_or_not(encode: object, padding: str) -> None:
    for kind, key in (("p256dh", POINT), ("auth", SECRET)):
        text = encode(key).decode()  # type: ignore[operator]
        assert decode_key(text.rstrip("=") if padding == "cut" else text, kind) == key  # type: ignore[arg-type]


def encoded(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "p256dh"),
        ("", "auth"),
        ("нет", "auth"),
        ("AA AA", "auth"),
        ("A", "auth"),
        ("=" * 24, "auth"),
        (encoded(SECRET[:15]), "auth"),
        (encoded(SECRET + b"x"), "auth"),
        (encoded(POINT[:64]), "p256dh"),
        (encoded(b"\x05" + POINT[1:]), "p256dh"),
        (encoded(b"\x06" + POINT[1:]), "p256dh"),
        (encoded(b"\x04" + bytes(64)), "p256dh"),
        (encoded(b"\x04" + b"\xff" * 64), "p256dh"),
        (encoded(bytes(65)), "p256dh"),
        ("A" * 100_000, "p256dh"),
    ],
    ids=[
        *(
            "empty-point",
            "empty-secret",
            "not-ascii",
            "space",
            "one-letter",
            "padding",
            "secret-short",
            "secret-long",
        ),
        *("point-short", "odd-first", "compressed-first", "zero", "off-the-curve", "nothing", "endless"),
    ],
)
def test_a_key_that_would_fail_later_is_refused_now(text: str, kind: str) -> None:
    with pytest.raises(ValueError, match=kind):
        decode_key(text, kind)  # type: ignore[arg-type]


def test_services_are_read_from_the_table_of_the_channel() -> None:
    table = {"timeout_s": 5, "services": ["push.example.com"], "extra_origins": ["http://127.0.0.1:8081"]}
    services = push_services(table)
    assert services.services == ("push.example.com",)
    assert services.extra_origins == ("http://127.0.0.1:8081",)
    assert push_services({}) == PushServices()


@pytest.mark.parametrize(
    "table",
    [
        {"services": ["https://push.example.com"]},
        {"services": ["push.example.com:443"]},
        {"services": ["10.0.0.1"]},
        {"services": ["**"]},
        {"extra_origins": ["http://127.0.0.1:8081/"]},
        {"extra_origins": ["127.0.0.1:8081"]},
        {"extra_origins": ["https://push.example.com:443"]},
    ],
)
def test_what_no_address_could_match_is_refused_at_the_start(table: dict[str, list[str]]) -> None:
    with pytest.raises(ValidationError):
        push_services(table)

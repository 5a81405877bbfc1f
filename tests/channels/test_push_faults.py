"""What can go wrong between us and a push service, each against a real server, and what becomes of it."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from daemon.channel import DeliveryFailed
from daemon.channels.webpush import Channel
from tests.channels import sink as services
from tests.channels.certificates import Authority
from tests.channels.samples import parcel
from tests.channels.sink import Behaviour, Browser, Sink, status

PUBLIC = (socket.AF_INET, ("93.184.215.14", 443))
LOOPBACK = "127.0.0.1"


def failure(channel: Channel, browser: Browser) -> DeliveryFailed:
    """Send, and return how it failed."""
    with pytest.raises(DeliveryFailed) as failed:
        channel.send([parcel(browser.device)])
    assert browser.device.endpoint not in str(failed.value), "who knows the address can send to the browser"
    assert browser.device.p256dh not in str(failed.value)
    return failed.value


def busy_for_two_minutes(handler: Any) -> None:
    """Answer 429 with the moment at which to come again."""
    again_at = datetime.now(UTC) + timedelta(seconds=120)
    handler.answer(429, Retry_After=format_datetime(again_at, usegmt=True))


ANSWERS: dict[str, tuple[Behaviour, str, float | None]] = {
    "400": (status(400, b"bad"), "failed", None),
    "401": (status(401, b'{"errno": 109}'), "misconfigured", None),
    "403": (status(403, b"BadJwtToken"), "misconfigured", None),
    "404": (status(404), "gone", None),
    "405": (status(405), "failed", None),
    "406": (status(406, Retry_After="7"), "retry", 7.0),
    "410": (status(410), "gone", None),
    "413": (status(413), "retry", None),
    "429 in seconds": (status(429, Retry_After="90"), "retry", 90.0),
    "429 at a date": (busy_for_two_minutes, "retry", 120.0),
    "429 at an odd moment": (status(429, Retry_After="soon"), "retry", None),
    "500": (status(500), "retry", None),
    "502": (status(502), "retry", None),
    "503": (status(503, Retry_After="5"), "retry", 5.0),
    "301": (status(301, Location="http://127.0.0.1/"), "failed", None),
    "302": (status(302, Location="http://169.254.169.254/latest/meta-data"), "failed", None),
    "307": (status(307, Location="https://10.0.0.1/"), "failed", None),
    "308": (status(308, Location="https://localhost/"), "failed", None),
    "hangs up": (services.hangs_up, "retry", None),
    "no HTTP": (services.babbles, "retry", None),
}


@pytest.mark.parametrize(("behaviour", "outcome", "asked"), ANSWERS.values(), ids=ANSWERS)
def test_each_answer_has_its_outcome(
    make_channel: Callable[..., Channel],
    sink: Sink,
    behaviour: Behaviour,
    outcome: str,
    asked: float | None,
) -> None:
    sink.behaviours["/push/one"] = behaviour
    failed = failure(make_channel(), Browser("one", sink.origin()))
    assert failed.outcome == outcome
    assert failed.retry_after_s == (None if asked is None else pytest.approx(asked, abs=5))
    assert [post.path for post in sink.posts] == ["/push/one"], "nothing is followed, nothing sent twice"


@pytest.mark.parametrize("behaviour", [services.stalls, services.drips], ids=["stalls", "drips"])
def test_a_service_that_does_not_come_to_an_end_is_left(
    make_channel: Callable[..., Channel], sink: Sink, behaviour: Behaviour
) -> None:
    sink.behaviours["/push/one"] = behaviour
    began = time.monotonic()
    failed = failure(make_channel(timeout_s=1.0), Browser("one", sink.origin()))
    assert failed.outcome == "retry"
    assert "within 1 s" in str(failed)
    assert time.monotonic() - began < 5, "the time is for all of the answer, not for each of its bytes"


@pytest.mark.parametrize("code", [201, 503])
def test_of_a_huge_answer_little_is_read(make_channel: Callable[..., Channel], sink: Sink, code: int) -> None:
    sent = threading.Event()

    def floods(handler: Any) -> None:
        try:
            handler.answer(code, b"x" * 50_000_000)
        finally:
            sent.set()

    sink.behaviours["/push/one"] = floods
    channel = make_channel()
    if code == 201:
        channel.send([parcel(Browser("one", sink.origin()).device)])
    else:
        assert len(str(failure(channel, Browser("one", sink.origin())))) < 400
    assert sent.wait(5), "the connection was closed under it"
    channel.send([parcel(Browser("two", sink.origin()).device)])
    assert sink.connections == 2, "what is left of it must not be taken for the next answer"


def test_an_answer_is_quoted_without_the_address(make_channel: Callable[..., Channel], sink: Sink) -> None:
    browser = Browser("secret-token", sink.origin())
    body = f"no such thing: {browser.device.endpoint} (/push/secret-token)".encode()
    sink.behaviours["/push/secret-token"] = status(400, body)
    assert "no such thing" in str(failure(make_channel(), browser))
    assert "secret-token" not in str(failure(make_channel(), browser))


# --- before there is an answer -----------------------------------------------------------------


def test_a_name_that_is_not_found(make_channel: Callable[..., Channel], sink: Sink) -> None:
    def resolve(_host: str, _port: int) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    failed = failure(make_channel(resolve), Browser("one", sink.origin()))
    assert failed.outcome == "retry"
    assert "Name or service not known" in str(failed)


def test_a_resolver_that_does_not_answer(make_channel: Callable[..., Channel], sink: Sink) -> None:
    def resolve(_host: str, _port: int) -> Any:
        sink.released.wait(30)
        return []

    failed = failure(make_channel(resolve, timeout_s=1.0), Browser("one", sink.origin()))
    assert (failed.outcome, "within 1 s" in str(failed)) == ("retry", True)


def test_a_port_that_nobody_listens_on(make_channel: Callable[..., Channel], authority: Authority) -> None:
    with socket.socket() as unused:
        unused.bind((LOOPBACK, 0))
        origin = f"https://localhost:{unused.getsockname()[1]}"
    failed = failure(make_channel(extra_origins=(origin,)), Browser("one", origin))
    assert failed.outcome == "retry"
    assert "refused" in str(failed)


def test_a_certificate_of_an_authority_that_nobody_knows(
    make_channel: Callable[..., Channel], sink: Sink
) -> None:
    failed = failure(make_channel(ca_file=None), Browser("one", sink.origin()))
    assert failed.outcome == "retry"
    assert "certificate verify failed" in str(failed)
    assert sink.posts == []


def test_a_certificate_of_somebody_else(make_channel: Callable[..., Channel], authority: Authority) -> None:
    other = Sink(authority.issue("other.example.com"))
    try:
        failed = failure(make_channel(extra_origins=(other.origin(),)), Browser("one", other.origin()))
        assert failed.outcome == "retry"
        assert "certificate verify failed" in str(failed)
        assert other.posts == []
    finally:
        other.close()


def test_no_tls_where_there_should_be(make_channel: Callable[..., Channel]) -> None:
    plain = Sink()
    try:
        origin = f"https://localhost:{plain.port}"
        failed = failure(make_channel(extra_origins=(origin,)), Browser("one", origin))
        assert failed.outcome == "retry"
    finally:
        plain.close()


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that accepts and says nothing: TLS never begins."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_tls_that_does_not_begin(make_channel: Callable[..., Channel], silent: int) -> None:
    origin = f"https://localhost:{silent}"
    channel = make_channel(timeout_s=1.0, extra_origins=(origin,))
    began = time.monotonic()
    failed = failure(channel, Browser("one", origin))
    assert (failed.outcome, "within 1 s" in str(failed)) == ("retry", True)
    assert time.monotonic() - began < 5


# --- addresses that a user must not make us connect to ------------------------------------------


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Where connections were attempted; none is made."""
    attempts: list[Any] = []

    class Socket(socket.socket):
        def connect(self, address: Any) -> None:
            attempts.append(address)
            raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr("daemon.clients.push_transport.socket.socket", Socket)
    return attempts


PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "100.64.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "not an address",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_known_name_that_leads_inside_is_not_followed(
    make_channel: Callable[..., Channel], dialled: list[Any], address: str
) -> None:
    def resolve(_host: str, port: int) -> Any:
        return [(socket.AF_INET6 if ":" in address else socket.AF_INET, (address, port))]

    browser = Browser("one", "https://updates.push.services.mozilla.com")
    failed = failure(make_channel(resolve), browser)
    assert failed.outcome == "retry", "a resolver that is astray for an hour must lose nothing"
    assert "no public address" in str(failed)
    assert dialled == []


def test_of_several_addresses_only_the_public_ones_are_tried(
    make_channel: Callable[..., Channel], dialled: list[Any]
) -> None:
    def resolve(_host: str, port: int) -> Any:
        return [(socket.AF_INET, (LOOPBACK, port)), PUBLIC, (socket.AF_INET, ("10.0.0.1", port))]

    failure(make_channel(resolve), Browser("one", "https://fcm.googleapis.com"))
    assert dialled == [PUBLIC[1]]


def test_a_name_that_leads_elsewhere_the_second_time_gains_nothing(
    make_channel: Callable[..., Channel], dialled: list[Any]
) -> None:
    """DNS rebinding: what was checked is what is connected to, and the next connection is checked anew."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> Any:
        asked.append(host)
        return [PUBLIC] if len(asked) == 1 else [(socket.AF_INET, (LOOPBACK, port))]

    channel = make_channel(resolve)
    browser = Browser("one", "https://fcm.googleapis.com")
    assert "refused" in str(failure(channel, browser))
    assert asked == ["fcm.googleapis.com"], "asked once for a connection, not once more to connect"
    assert "no public address" in str(failure(channel, browser))
    assert dialled == [PUBLIC[1]]


@pytest.mark.parametrize(
    "origin",
    [
        "https://127.0.0.1",
        "https://localhost",
        "https://2130706433",
        "https://0x7f000001",
        "https://[::1]",
        "https://169.254.169.254",
        "http://fcm.googleapis.com",
        "https://fcm.googleapis.com:8443",
        "https://fcm.googleapis.com.evil.example",
        "https://push.evil.example",
    ],
)
def test_an_address_that_came_past_the_viewer_is_refused_here_too(
    make_channel: Callable[..., Channel], dialled: list[Any], origin: str
) -> None:
    def resolve(_host: str, _port: int) -> Any:
        raise AssertionError("it is not even looked up")

    failed = failure(make_channel(resolve), Browser("one", origin))
    assert failed.outcome == "failed"
    assert dialled == []


def test_the_environment_has_no_say(
    make_channel: Callable[..., Channel], sink: Sink, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """Neither a proxy nor a `.netrc`, which would replace our signature, is looked at."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine localhost login ann password secret\n")
    netrc.chmod(0o600)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    make_channel().send([parcel(Browser("one", sink.origin()).device)])
    assert sink.posts[0].headers["authorization"].startswith("vapid t=")

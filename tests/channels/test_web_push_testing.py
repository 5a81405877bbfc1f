"""npm's web-push-testing, written by others, takes and decrypts what we send, and refuses what it should."""

import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests

from daemon import vapid
from daemon.channel import DeliveryFailed, Device
from daemon.channels.webpush import Channel
from tests.channels.samples import parcel
from tests.daemon.outgoing import wait_for
from tests.node import NODE

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "web/node_modules/web-push-testing/src/bin/server.js"


@dataclass(frozen=True)
class Service:
    """That server, and a browser subscribed to it."""

    origin: str

    def ask(self, path: str, body: Any = None) -> Any:
        answer = requests.post(f"{self.origin}{path}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer

    def subscribe(self, public_key: str) -> tuple[str, Device]:
        options = {"userVisibleOnly": "true", "applicationServerKey": public_key}
        made = self.ask("/subscribe", options).json()["data"]
        return made["clientHash"], Device(1, made["endpoint"], made["keys"]["p256dh"], made["keys"]["auth"])

    def received(self, client: str) -> list[Any]:
        return list(self.ask("/get-notifications", {"clientHash": client}).json()["data"]["messages"])


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([NODE, SERVER, str(port)], stdout=subprocess.DEVNULL)
    origin = f"http://localhost:{port}"
    try:
        wait_for(lambda: _answers(origin), "web-push-testing does not start")
        yield Service(origin)
    finally:
        process.kill()
        process.wait(10)


def _answers(origin: str) -> bool:
    try:
        return requests.post(f"{origin}/status", timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.fixture
def channel(make_channel: Callable[..., Channel], service: Service) -> Channel:
    return make_channel(extra_origins=(service.origin,))


def test_it_reads_what_we_send(channel: Channel, service: Service) -> None:
    client, device = service.subscribe(channel.public_key)
    channel.send([parcel(device)])
    channel.send([parcel(device, message="ж" * 9_000)])
    [first, second] = service.received(client)
    assert '"message":"Задача #7 переведена в статус «В работе»"' in first
    assert second.count("ж") > 1_500


def test_keys_in_either_alphabet_are_the_same_to_it(channel: Channel, service: Service) -> None:
    client, device = service.subscribe(channel.public_key)
    padded = {name: _plain_base64(getattr(device, name)) for name in ("p256dh", "auth")}
    channel.send([parcel(replace(device, **padded))])
    assert len(service.received(client)) == 1


def _plain_base64(text: str) -> str:
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    return plain + "=" * (-len(plain) % 4)


def test_an_expired_subscription_is_gone(channel: Channel, service: Service) -> None:
    client, device = service.subscribe(channel.public_key)
    service.ask(f"/expire-subscription/{client}")
    with pytest.raises(DeliveryFailed) as failed:
        channel.send([parcel(device)])
    assert failed.value.outcome == "gone"


def test_a_subscription_for_another_key_of_ours_is_refused(
    channel: Channel, service: Service, tmp_path: Path
) -> None:
    other = vapid.public_key(vapid.read_or_make(tmp_path / "other.pem"))
    client, device = service.subscribe(other)
    with pytest.raises(DeliveryFailed) as failed:
        channel.send([parcel(device)])
    assert failed.value.outcome == "failed", "this service says 400 where the real ones say 401 or 403"
    assert service.received(client) == []


def test_what_was_encrypted_for_another_browser_is_refused(channel: Channel, service: Service) -> None:
    client, device = service.subscribe(channel.public_key)
    _, other = service.subscribe(channel.public_key)
    with pytest.raises(DeliveryFailed) as failed:
        channel.send([parcel(replace(device, p256dh=other.p256dh))])
    assert failed.value.outcome == "failed"
    assert service.received(client) == []

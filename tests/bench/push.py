"""Push messages a second to a service on loopback: from the outbox, by the channel, by npm's web-push.

All of them encrypt for 100 browsers, 16 at once, over TLS, to the same service in the same run; beside that
what encryption and signing alone take. `python -m tests.bench.push`
"""

import base64
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from pywebpush import WebPusher

from daemon import vapid
from daemon.channel import Surroundings
from daemon.channels.webpush import LONGEST_PLAIN, Channel, Options, payload
from daemon.dispatch import Dispatcher, Line
from daemon.outbox import Outbox
from storage import migrate, users
from storage.columns import utc_now
from storage.models import Delivery, PushSubscription, User
from storage.session import Database
from storage.settings import StorageSettings
from tests.channels.certificates import Authority
from tests.channels.samples import parcel
from tests.channels.sink import Browser
from tests.node import NODE

HERE = Path(__file__).parent
BROWSERS = 100
MESSAGES = 2_000
AT_ONCE = 16
ROUNDS = 3
SURROUNDINGS_URL = "https://helpdesk.example.com"


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything happens: a folder, a service, browsers subscribed to it, a channel."""

    folder: Path
    authority: Authority
    channel: Channel
    options: Options
    browsers: tuple[Browser, ...]

    @property
    def surroundings(self) -> Surroundings:
        return Surroundings(SURROUNDINGS_URL, self.folder)


@contextmanager
def place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = Authority(folder)
        command = [NODE, HERE / "push_sink.cjs", authority.issue("localhost")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
            assert service.stdout is not None
            origin = f"https://localhost:{int(service.stdout.readline())}"
            options = Options(
                extra_origins=(origin,), ca_file=authority.ca_file, parallel=AT_ONCE, timeout_s=30.0
            )
            channel = Channel(options, Surroundings(SURROUNDINGS_URL, folder))
            browsers = tuple(Browser(str(number), origin) for number in range(BROWSERS))
            try:
                yield Place(folder, authority, channel, options, browsers)
            finally:
                channel.close()
                service.kill()


def from_the_outbox(where: Place, number: int) -> float:
    """Return the seconds until a dispatcher has sent all and has written that it did."""
    database = Database(StorageSettings(directory=where.folder / f"state-{number}"))
    migrate.upgrade(database)
    with database.write() as session:
        for browser in where.browsers:
            user = users.add(session, User(username=browser.name))
            device = browser.device
            keys = {"endpoint": device.endpoint, "p256dh": device.p256dh, "auth": device.auth}
            session.add(PushSubscription(user_id=user.id, **keys))
        session.flush()
        Outbox(frozenset({"webpush"})).record(session, list(_rows()), utc_now())
    line = Line("webpush", where.channel, where.options, where.channel.public_key)
    dispatcher = Dispatcher(database, [line])
    began = time.perf_counter()
    dispatcher.start()
    while _left(database):
        time.sleep(0.1)  # asking costs what is measured
    took = time.perf_counter() - began
    dispatcher.stop(10)
    database.dispose()
    return took


def _rows() -> Iterator[dict[str, Any]]:
    for number in range(MESSAGES):
        news = parcel().news
        yield {
            "change_key": f"redmine:journal:{number}",
            "user_id": 1 + number % BROWSERS,
            "type": news.type,
            "reasons": ["assignee"],
            "title": news.title,
            "message": news.message,
            "created_at": news.created_at,
            "issue_id": number,
            "project_id": 1,
            "subject": news.subject,
        }


def _left(database: Database) -> int:
    with database.read() as session:
        query = sa.select(sa.func.count()).select_from(Delivery).where(Delivery.state != "sent")
        return session.scalar(query) or 0


def by_the_channel(where: Place, _number: int) -> float:
    """Return the seconds that as many threads take which only send."""
    parcels = [parcel(where.browsers[n % BROWSERS].device) for n in range(MESSAGES)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        began = time.perf_counter()
        list(threads.map(lambda one: where.channel.send([one]), parcels))
        return time.perf_counter() - began


def by_npm(where: Place, _number: int) -> float:
    """Return the seconds that npm's web-push takes for the same."""
    key = vapid.read(where.folder / "vapid.pem")
    number = key.private_key.private_numbers().private_value
    told = {
        "browsers": [_subscription(browser) for browser in where.browsers],
        "payload": payload(parcel(), where.surroundings, LONGEST_PLAIN).decode(),
        "count": MESSAGES,
        "atOnce": AT_ONCE,
        "caFile": str(where.authority.ca_file),
        "vapid": {
            "subject": "mailto:admin@example.com",
            "publicKey": vapid.public_key(key),
            "privateKey": _base64(number.to_bytes(32, "big")),
        },
    }
    command = [NODE, HERE / "push_sender.cjs"]
    done = subprocess.run(command, input=json.dumps(told), stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def alone(where: Place, _number: int) -> float:
    """Return the seconds that encryption and signing take, one after another, with nothing sent."""
    key = vapid.read(where.folder / "vapid.pem")
    text = payload(parcel(), where.surroundings, LONGEST_PLAIN)
    infos = [_subscription(browser) for browser in where.browsers]
    began = time.perf_counter()
    for number in range(MESSAGES):
        WebPusher(infos[number % BROWSERS]).encode(text)
        key.sign({"aud": "https://push.example.com", "sub": "mailto:a@example.com", "exp": number + 10**10})
    return time.perf_counter() - began


def _subscription(browser: Browser) -> dict[str, Any]:
    device = browser.device
    return {"endpoint": device.endpoint, "keys": {"p256dh": device.p256dh, "auth": device.auth}}


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


WAYS: dict[str, Callable[[Place, int], float]] = {
    "from the outbox": from_the_outbox,
    "by the channel": by_the_channel,
    "npm web-push": by_npm,
    "encryption and signing alone": alone,
}


def main() -> int:
    """Print a line for each way; 1 where the channel is slower than npm's."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    rates: dict[str, list[float]] = {name: [] for name in WAYS}
    with place() as where:
        for number in range(ROUNDS):
            for name, way in WAYS.items():
                rates[name].append(MESSAGES / way(where, number))
    middle = {name: statistics.median(found) for name, found in rates.items()}
    npm, bare = middle["npm web-push"], middle["encryption and signing alone"]
    print(f"push: {MESSAGES} messages, {AT_ONCE} at once")
    for name, rate in middle.items():
        print(line(name, rate, npm, bare))
    return int(middle["by the channel"] < npm)


def line(name: str, rate: float, npm: float, bare: float) -> str:
    """Return what is printed of a way that sends so many a second."""
    return f"  {name:30} {rate:6,.0f}/s, of npm {rate / npm:.2f}, of encryption {rate / bare:.2f}"


if __name__ == "__main__":
    sys.exit(main())

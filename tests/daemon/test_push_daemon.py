"""Web Push as operators run it: the command that makes the key, and a daemon that sends what Redmine says."""

import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon import vapid
from storage import users
from storage.models import ChannelState, PushSubscription
from tests.channels.sink import Browser, Sink
from tests.daemon import deeds
from tests.daemon.outgoing import wait_for
from tests.real.daemon_process import Installation
from tests.redmines import RedmineUnderTest

WITHIN_S = 60.0
ROOT = Path(__file__).parents[2]


def helpdesk(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, "-m", "daemon", "--config", str(config), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "scheduler.toml"
    file.write_text(f'[storage]\ndirectory = "{tmp_path / "state"}"\n')
    return file


def test_the_command_makes_the_key_once_and_a_new_one_only_by_force(config: Path, tmp_path: Path) -> None:
    key = tmp_path / "state/vapid.pem"
    first = helpdesk(config, "vapid").stdout.strip()
    assert first == vapid.public_key(vapid.read(key))
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert helpdesk(config, "vapid").stdout.strip() == first
    told, second = helpdesk(config, "vapid", "--force").stdout.strip().splitlines()
    assert "Restart the daemon" in told
    assert second == vapid.public_key(vapid.read(key)) != first


def test_a_broken_key_is_named_by_the_command(config: Path, tmp_path: Path) -> None:
    key = tmp_path / "state/vapid.pem"
    key.parent.mkdir()
    key.write_text("nothing")
    key.chmod(0o600)
    refused = helpdesk(config, "vapid")
    assert refused.returncode == 2
    assert f"{key}: holds no private key" in refused.stderr
    assert key.read_text() == "nothing"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ('[channel.webpush]\ncontact = "admin"', "channel.webpush.contact"),
        ('[channel.webpush]\nservices = ["https://push.example.com"]', "channel.webpush.services"),
        ('[channel.webpush]\nextra_origins = ["push.example.com"]', "channel.webpush.extra_origins"),
        ("[channel.webpush]\nparallell = 3", "did you mean parallel?"),
        ("[channel.webpush]\nenabled = false", "channel.webpush.enabled = false"),
    ],
)
def test_a_wrong_setting_is_named(config: Path, table: str, expected: str) -> None:
    config.write_text(f"{config.read_text()}\n{table}\n")
    refused = helpdesk(config, "vapid")
    assert refused.returncode == 2
    assert expected in refused.stderr


def test_a_claim_must_outlast_a_message(config: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("abc")
    tables = f'[redmine]\nurl = "http://127.0.0.1:9"\napi_key_file = "{key}"\n[daemon]\nclaim_s = 15.0\n'
    config.write_text(f"{config.read_text()}\n{tables}")
    helpdesk(config, "db", "upgrade")
    refused = helpdesk(config, "daemon")
    assert refused.returncode == 2
    assert "daemon.claim_s = 15: must be at least twice" in refused.stderr


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink()
    yield sink
    sink.close()


def test_what_changes_in_redmine_reaches_a_browser_with_no_page_open(
    demo_redmine: RedmineUnderTest, tmp_path: Path, sink: Sink
) -> None:
    place = Installation(tmp_path, demo_redmine)
    origin = sink.origin("127.0.0.1")
    with place.config.open("a") as file:
        file.write(f'\n[channel.webpush]\nextra_origins = ["{origin}"]\n')
    browser = Browser("one", origin)
    device = browser.device
    daemon = place.start_to_lead()
    try:
        wait_for(place.has_baseline, within_s=WITHIN_S, story=place.log_tail)
        with place.database.write() as session:
            state = session.get(ChannelState, "webpush")
            bob = users.by_username(session, "bob")
            assert state is not None
            assert bob is not None
            assert state.public_key == vapid.public_key(vapid.read(tmp_path / "state/vapid.pem"))
            row = PushSubscription(
                user_id=bob.id, endpoint=device.endpoint, p256dh=device.p256dh, auth=device.auth
            )
            row.application_server_key = state.public_key
            session.add(row)
        issue = demo_redmine.create_issue("ann", assigned_to_id=demo_redmine.id_of("user", "bob"))
        deeds.note(demo_redmine, "ann", issue, "Look, @bob")
        wait_for(lambda: len(sink.posts) >= 2, within_s=WITHIN_S, story=place.log_tail)
        contents = [browser.decrypt(post.body) for post in sink.posts]
        assert [content["type"] for content in contents] == ["new_issue", "mention"]
        assert {content["tag"] for content in contents} == {f"issue:{issue}"}
        assert contents[1]["url"].startswith(f"/tasks/{issue}#change-")
        assert [post.headers["urgency"] for post in sink.posts] == ["normal", "high"]
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(30) == 0
    finally:
        if daemon.process.poll() is None:
            daemon.process.kill()
            daemon.process.wait(10)
        place.close()

"""A saved `scheduler.toml` is in force within seconds; a broken one changes nothing and is shown."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from daemon.config import load
from daemon.scheduler import Engine
from daemon.service import Follower, Senders, plan
from storage import job_table, migrate
from storage.columns import utc_now
from storage.models import Host
from storage.session import Database
from tests.daemon.ticking import until

FILE = """
[storage]
directory = "{folder}"
[redmine]
url = "http://127.0.0.2:8099"
api_key_file = "{folder}/key"
deadline_s = 2
[job.redmine]
source = "redmine"
every_s = 5.0
[job.reconcile]
source = "redmine_reconcile"
every_s = 300.0
[channel.webpush]
"""


@dataclass
class Desk:
    """A file, and what follows it."""

    path: Path
    database: Database
    engine: Engine
    follower: Follower

    def edit(self, old: str, new: str) -> None:
        """Save the file as editors do: another one under its name."""
        text = self.path.read_text()
        assert old in text
        self.save(text.replace(old, new).encode())

    def save(self, content: bytes) -> None:
        draft = self.path.with_suffix(".draft")
        draft.write_bytes(content)
        draft.replace(self.path)

    def look(self) -> str:
        """Look as often as a second or two would, and return what is wrong."""
        for _ in range(3):
            status = self.follower.look()
        return str(status["fault"])

    def marks(self) -> dict[str, str]:
        return {job.name: job.mark for job in self.engine.planned}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    path = tmp_path / "scheduler.toml"
    (tmp_path / "key").write_text("0123456789abcdef")
    path.write_text(FILE.format(folder=tmp_path))
    config = load(path)
    database = Database(config.storage)
    migrate.upgrade(database)
    engine = Engine(database, plan(config), config.daemon.lease_s)
    senders = Senders(config, database)
    senders.start()
    yield Desk(path, database, engine, Follower(config, engine, senders))
    assert senders.stop(10)
    database.dispose()


EDITS = {
    "interval": ("every_s = 5.0", "every_s = 7.0", {"redmine"}),
    "options": ("every_s = 5.0", "every_s = 5.0\noptions.overlap_s = 60.0", {"redmine"}),
    "time-out": ("every_s = 5.0", "every_s = 5.0\ntimeout_s = 60.0", {"redmine"}),
    "job-added": (
        "[job.reconcile]",
        '[job.second]\nsource = "redmine"\nevery_s = 9\n[job.reconcile]',
        {"second"},
    ),
    "job-removed": ('[job.reconcile]\nsource = "redmine_reconcile"\nevery_s = 300.0\n', "", {"reconcile"}),
    "job-disabled": ("every_s = 300.0", "every_s = 300.0\nenabled = false", {"reconcile"}),
    "what-they-read": ("deadline_s = 2", "deadline_s = 3", {"redmine", "reconcile"}),
    "channel-off": ("[channel.webpush]", "[channel.webpush]\nenabled = false", {"redmine", "reconcile"}),
    "told-later": ("[job.redmine]", "[daemon]\ntell_after = 9\n[job.redmine]", {"redmine", "reconcile"}),
    "a-comment": ("[job.redmine]", "# by night\n[job.redmine]", set()),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edit_touches_the_jobs_that_it_is_about(desk: Desk, edit: tuple[str, str, set[str]]) -> None:
    before = desk.marks()
    desk.edit(edit[0], edit[1])
    assert desk.look() == ""
    after = desk.marks()
    assert {n for n in {*before, *after} if before.get(n) != after.get(n)} == edit[2]


# What is broken, the line, the key and what is said of it.
BREAKS = {
    "not-toml": ("every_s = 5.0", "every_s = = 5.0", 10, "job.redmine.every_s: Invalid value"),
    "half-written": ("every_s = 5.0", 'every_s = "5.0', 10, "job.redmine.every_s: Illegal character"),
    "half-a-list": ("every_s = 5.0", "every_s = [5.0,", 10, "job.redmine.every_s: Invalid value"),
    "half-a-text": ("every_s = 5.0", 'every_s = """5.0', 10, "job.redmine.every_s: "),
    "half-a-table": ("[job.redmine]", "[job.redmine", 8, "end of a table declaration"),
    "unknown-table": ("[job.redmine]", "[jobs.redmine]", 8, "[jobs]: unknown table (did you mean job?)"),
    "unknown-key": (
        "every_s = 5.0",
        "evry_s = 5.0",
        10,
        "job.redmine.evry_s: unknown key (did you mean every_s?)",
    ),
    "key-missing": ('source = "redmine"', "", 8, "job.redmine.source: is required"),
    "out-of-range": ("every_s = 5.0", "every_s = 0", 10, "job.redmine.every_s = 0"),
    "wrong-kind": ("every_s = 5.0", 'every_s = "often"', 10, 'job.redmine.every_s = "often"'),
    "no-such-source": ('source = "redmine"', 'source = "redmin"', 9, "job.redmine.source = 'redmin'"),
    "wrong-option": (
        "every_s = 5.0",
        "every_s = 5.0\noptions.overlap = 1",
        11,
        "job.redmine.options.overlap: unknown key",
    ),
    "secret-missing": ("/key", "/no-key", 6, "no-key"),
    "no-such-channel": ("[channel.webpush]", "[channel.pigeon]", 14, "channel.pigeon"),
    "no-redmine": ('url = "http://127.0.0.2:8099"', "", 4, "redmine.url"),
    "key-twice": (
        "every_s = 5.0",
        "every_s = 5.0\nevery_s = 6.0",
        11,
        "job.redmine.every_s: Cannot overwrite a value",
    ),
    "table-twice": ("[job.reconcile]", "[job.redmine]", 11, "job.redmine: Cannot declare"),
    "host-twice": (
        "[channel.webpush]",
        '[[host]]\nname = "a"\naddress = "::1"\n[[host]]\nname = "a"\naddress = "::1"\n[channel.webpush]',
        18,
        "host: two hosts have the name 'a'",
    ),
    "claim-too-short": (
        "[job.redmine]",
        "[daemon]\nclaim_s = 5\n[job.redmine]",
        9,
        "daemon.claim_s = 5: must be at least",
    ),
    "timeout-too-long": (
        "[channel.webpush]",
        "[channel.webpush]\ntimeout_s = 31",
        15,
        "channel.webpush.timeout_s = 31",
    ),
    "push-key-missing": (
        "[channel.webpush]",
        '[channel.webpush]\nprivate_key_file = "/"',
        14,
        "channel.webpush: /: cannot read the key",
    ),
}


@pytest.mark.parametrize("edit", BREAKS.values(), ids=BREAKS)
def test_a_broken_file_changes_nothing_and_is_shown(desk: Desk, edit: tuple[str, str, int, str]) -> None:
    good, before = desk.path.read_text(), desk.marks()
    desk.edit(edit[0], edit[1])
    with capture_logs() as logs:
        fault = desk.look()
        assert desk.look() == fault
    assert fault.startswith(f"{desk.path}: ")
    [said] = [one for one in fault.splitlines() if edit[3] in one]
    assert re.findall(r"\bline (\d+)", said)[-1:] == [str(edit[2])]
    assert desk.marks() == before
    [line] = [line for line in logs if line["event"] == "configuration_refused"]  # once, not every second
    assert (line["file"], line["error"]) == (str(desk.path), fault)
    desk.save(good.encode())
    assert desk.look() == ""
    assert desk.marks() == before


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b""], ids=["not-utf-8", "empty"])
def test_what_is_no_text_or_nothing_is_refused(desk: Desk, content: bytes) -> None:
    before = desk.marks()
    desk.save(content)
    assert str(desk.path) in desk.look()
    assert desk.marks() == before


def test_a_file_that_is_gone_is_no_empty_file(desk: Desk) -> None:
    before = desk.marks()
    desk.path.unlink()
    assert "there is no such file any more" in desk.look()
    assert desk.marks() == before


def test_a_file_that_is_still_being_written_is_left_alone(desk: Desk) -> None:
    text = desk.path.read_text()
    with capture_logs() as logs:
        for end in range(10, len(text) + 30, 30):
            desk.path.write_text(text[:end])
            os.utime(desk.path, ns=(end, end))  # a clock too coarse to tell them apart must not matter
            assert desk.follower.look()["fault"] == ""
    assert [line for line in logs if line["event"] == "configuration_refused"] == []


def test_what_only_a_restart_changes_is_named(desk: Desk) -> None:
    desk.edit("[job.redmine]", "[daemon]\nlease_s = 20\n[job.redmine]")
    assert desk.look() == ""
    assert desk.follower.look()["restart"] == ["daemon.lease_s"]


NEEDS_RESTART = {
    "lease": ("[job.redmine]", "[daemon]\nlease_s = 20\n[job.redmine]", ["daemon.lease_s"]),
    "followed": ("[job.redmine]", "[daemon]\ntell_after = 9\n[job.redmine]", []),
    "two": (
        "[job.redmine]",
        '[daemon]\nstop_timeout_s = 9\nlog_level = "debug"\n[job.redmine]',
        ["daemon.log_level", "daemon.stop_timeout_s"],
    ),
    "urgent": ("[job.redmine]", '[inbox]\nurgent_priorities = ["High"]\n[job.redmine]', []),
    "storage": ("[redmine]", "pool_size = 4\n[redmine]", ["storage.pool_size"]),
}


@pytest.mark.parametrize("edit", NEEDS_RESTART.values(), ids=NEEDS_RESTART)
def test_each_key_that_waits_for_a_restart_is_shown_and_logged(
    desk: Desk, edit: tuple[str, str, list[str]]
) -> None:
    desk.edit(edit[0], edit[1])
    with capture_logs() as logs:
        assert desk.look() == ""
    assert desk.follower.look()["restart"] == edit[2]
    [line] = [line for line in logs if line["event"] == "configuration_loaded"]
    assert line["restart_needed"] == edit[2]


def test_what_waits_for_a_restart_of_the_viewer_is_logged_by_key(desk: Desk) -> None:
    desk.edit("[job.redmine]", "[web]\nport = 8080\n[tasks]\nmax_upload_mb = 7\n[job.redmine]")
    with capture_logs() as logs:
        assert desk.look() == ""
    [line] = [line for line in logs if line["event"] == "viewer_restart_needed"]
    assert line["keys"] == ["web.port", "tasks.max_upload_mb"]


def test_a_secret_that_was_saved_is_in_force_though_the_file_is_as_it_was(desk: Desk, tmp_path: Path) -> None:
    before = desk.marks()
    assert desk.look() == ""
    assert desk.marks() == before
    (tmp_path / "key").write_text("fedcba9876543210")
    with capture_logs() as logs:
        assert desk.look() == ""
    after = desk.marks()
    assert {name for name in after if after[name] != before[name]} == {"redmine", "reconcile"}
    assert [line["event"] for line in logs].count("configuration_loaded") == 1
    (tmp_path / "key").unlink()
    assert "key" in desk.look()
    assert desk.marks() == after  # the jobs go on with what they have
    (tmp_path / "key").write_text("0123456789abcdef")
    assert desk.look() == ""


HOST = """
[[host]]
name = "gw"
address = "127.0.0.1"
[[host]]
name = "web"
address = "127.0.0.2"
parent = "gw"
"""


def test_hosts_are_added_changed_and_removed_in_a_running_daemon(desk: Desk) -> None:
    """The whole way: the file is saved, and the table of hosts says so after the next run."""
    assert desk.database.is_sqlite
    desk.engine.look_at_file = desk.follower.look
    desk.engine.start()
    try:
        jobs = '[job.hosts]\nsource = "hosts"\nevery_s = 1.0\n'
        desk.edit("[channel.webpush]", jobs + HOST + "[channel.webpush]")
        until(lambda: watched(desk) == {"gw": ("127.0.0.1", ""), "web": ("127.0.0.2", "gw")}, "hosts", 15)
        desk.edit('address = "127.0.0.2"\nparent = "gw"', 'address = "127.0.0.3"')
        until(lambda: watched(desk).get("web") == ("127.0.0.3", ""), "the other address", 15)
        added = '[[host]]\nname = "new"\naddress = "127.0.0.4"\n'
        desk.edit('[[host]]\nname = "gw"\naddress = "127.0.0.1"\n', added)
        until(lambda: set(watched(desk)) == {"web", "new"}, "one gone, one new", 15)
        desk.edit('name = "new"', 'name = "web"')
        until(lambda: "two hosts have the name" in fault(desk), "the fault", 15)
        assert set(watched(desk)) == {"web", "new"}
    finally:
        assert desk.engine.stop(15)


def watched(desk: Desk) -> dict[str, tuple[str, str]]:
    with desk.database.read() as session:
        rows = session.scalars(sa.select(Host).where(Host.is_watched))
        return {host.name: (host.address, host.parent) for host in rows}


def test_a_running_daemon_shows_the_effect_within_seconds(desk: Desk) -> None:
    """The whole way: file, engine, table; then a broken file, and a good one again."""
    desk.engine.look_at_file = desk.follower.look
    desk.engine.start()
    try:
        until(lambda: shown(desk) == {"redmine": 5.0, "reconcile": 300.0}, "the file as it was")
        desk.edit("every_s = 5.0", "every_s = 8.0")
        until(lambda: shown(desk) == {"redmine": 8.0, "reconcile": 300.0}, "the edit", 6)
        desk.edit("every_s = 8.0", "every_s = -8.0")
        until(lambda: "every_s = -8.0" in fault(desk), "the fault", 6)
        assert shown(desk) == {"redmine": 8.0, "reconcile": 300.0}
        desk.edit("every_s = -8.0", "every_s = 9.0")
        until(lambda: shown(desk)["redmine"] == 9.0 and not fault(desk), "the mended file", 6)
    finally:
        assert desk.engine.stop(15)


def shown(desk: Desk) -> dict[str, float | None]:
    with desk.database.read() as session:
        return {row.name: row.every_s for row in job_table.rows(session, utc_now()) if row.every_s}


def fault(desk: Desk) -> str:
    with desk.database.read() as session:
        return job_table.daemon_status(session, utc_now()).fault

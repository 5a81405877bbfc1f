"""`helpdesk install-services`: units and an nginx example for one installation, printed or written."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from daemon import install
from daemon.cli import main
from daemon.install import UNITS

REDMINE = '[redmine]\nurl = "https://redmine.example.com"\n'
Call = Callable[..., Result]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of an installation; those of tests are hidden from services, so nothing is."""
    monkeypatch.setattr(install, "HIDDEN", ("/home", "/root"))
    for name in ("bin", "etc", "units"):
        (tmp_path / name).mkdir()
    program = tmp_path / "bin" / "helpdesk"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return tmp_path


@pytest.fixture
def call(place: Path) -> Call:
    """Call the command on a configuration."""

    def run(*args: str, config: str = "", directory: str = "/var/lib/helpdesk") -> Result:
        file = place / "etc" / "scheduler.toml"
        file.write_text(f'[storage]\ndirectory = "{directory}"\n{config}')
        given = ["--config", str(file), "install-services", "--program", str(place / "bin" / "helpdesk")]
        return CliRunner().invoke(main, [*given, *args])

    return run


def values(text: str, key: str) -> list[str]:
    return re.findall(rf"(?m)^{key}=(.*)$", text)


def test_all_three_files_are_printed(call: Call) -> None:
    done = call()
    assert done.exit_code == 0, done.output
    for name in (*UNITS, "nginx.conf"):
        assert f"# {name}\n" in done.stdout
    assert "systemctl enable --now helpdesk-daemon helpdesk-web" in done.stderr


def test_user_and_paths_are_filled_in(call: Call, place: Path) -> None:
    assert call("--write", str(place / "units"), "--user", "it-desk").exit_code == 0
    daemon, web = ((place / "units" / name).read_text() for name in UNITS)
    program, config = place / "bin" / "helpdesk", place / "etc" / "scheduler.toml"
    assert values(daemon, "ExecStart") == [f"{program} --config {config} daemon"]
    assert values(web, "ExecStart") == [f"{program} --config {config} web"]
    for text in (daemon, web):
        assert (values(text, "User"), values(text, "Group")) == (["it-desk"], ["it-desk"])
        assert values(text, "StateDirectory") == ["helpdesk"]
        assert values(text, "WorkingDirectory") == ["/var/lib/helpdesk"]
        assert values(text, "LoadCredential") == []  # the configuration names no file of a secret


def test_what_is_printed_and_what_is_written_is_the_same(call: Call, place: Path) -> None:
    call("--write", str(place / "units"), "--nginx", str(place / "etc" / "helpdesk"))
    printed = call("--print").stdout
    for file in (*(place / "units" / name for name in UNITS), place / "etc" / "helpdesk"):
        assert file.read_text() in printed
        assert file.stat().st_mode & 0o777 == 0o644


def test_state_elsewhere_may_be_written(call: Call, place: Path) -> None:
    call("--write", str(place / "units"), directory="/srv/desk")
    text = (place / "units" / UNITS[0]).read_text()
    assert values(text, "ReadWritePaths") == ["/srv/desk"]
    assert values(text, "ProtectSystem") == ["strict"]
    assert values(text, "StateDirectory") == values(text, "StateDirectoryMode") == []


SECRETS = """
[redmine]
url = "https://redmine.example.com"
api_key_file = "/etc/helpdesk/redmine-key"
[erp]
url = "oracle+oracledb://reader@erp.example.com:1521/?service_name=ERP"
password_file = "/etc/helpdesk/erp 100%"
[channel.email]
host = "mail.example.com"
sender = "helpdesk@example.com"
username = "helpdesk"
password_file = "/etc/helpdesk/mail"
[channel.webpush]
private_key_file = "/var/lib/helpdesk/vapid.pem"
[web]
secret_key_file = "/etc/helpdesk/secret"
"""


def test_each_service_is_given_the_secrets_it_needs_and_no_others(call: Call, place: Path) -> None:
    call("--write", str(place / "units"), config=SECRETS)
    daemon, web = ((place / "units" / name).read_text() for name in UNITS)
    both = ["redmine-key:/etc/helpdesk/redmine-key", "erp-password:/etc/helpdesk/erp 100%%"]
    assert values(daemon, "LoadCredential") == [*both, "mail-password:/etc/helpdesk/mail"]
    assert values(web, "LoadCredential") == [*both, "secret-key:/etc/helpdesk/secret"]
    assert "vapid" not in "".join(values(daemon, "LoadCredential"))  # made there by the daemon itself


def test_secrets_that_a_service_cannot_see_are_named(call: Call) -> None:
    config = REDMINE + 'api_key_env = "OUR_KEY"\n[web]\nsecret_key_file = "secret"\n'
    told = call(config=config).stderr
    assert "redmine.api_key_env: services do not see" in told
    assert "web.secret_key_file: services do not see" in told
    assert "services do not see" not in call(config=SECRETS).stderr


def test_nginx_is_filled_in(call: Call, place: Path) -> None:
    config = '[web]\nport = 5055\npublic_url = "https://desk.firm.example"\n[tasks]\nmax_upload_mb = 200\n'
    call("--nginx", str(place / "etc" / "nginx"), config=config)
    text = (place / "etc" / "nginx").read_text()
    assert "server 127.0.0.1:5055;" in text
    assert text.count("server_name desk.firm.example;") == 2
    assert f"client_max_body_size {200 * 1024 + 1024}k;" in text


@pytest.mark.parametrize(
    ("how", "told"),
    [
        pytest.param({"directory": ".helpdesk"}, "services want a full path", id="relative-state"),
        pytest.param({"directory": "/home/desk/state"}, "services cannot see /home", id="hidden-state"),
        pytest.param(
            {"config": "[web]\nprot = 1\n[daemon]\nlease = 3\n"}, "daemon.lease: unknown key", id="bad"
        ),
        pytest.param({"args": ("--user", "no such\nuser")}, "not the names of a user", id="user"),
        pytest.param({"args": ("--program", "/nowhere/helpdesk")}, "there is no such program", id="program"),
    ],
)
def test_what_cannot_become_a_service_is_refused(call: Call, how: dict[str, str], told: str) -> None:
    args = how.pop("args", ())
    done = call(*args, **how)
    assert done.exit_code == 2
    assert told in done.stderr
    assert done.stdout == ""


def test_files_that_somebody_changed_stay_unless_forced(call: Call, place: Path) -> None:
    folder = place / "units"
    assert call("--write", str(folder)).stdout.count("wrote") == 2
    assert "wrote" not in call("--write", str(folder)).stdout  # nothing to do
    changed = folder / UNITS[1]
    changed.write_text("[Service]\n")
    refused = call("--write", str(folder), "--user", "other")
    assert refused.exit_code == 2
    assert "use --force" in refused.stderr
    assert changed.read_text() == "[Service]\n"
    assert "User=helpdesk" in (folder / UNITS[0]).read_text()  # all or none
    assert call("--write", str(folder), "--user", "other", "--force").exit_code == 0
    assert "User=other" in changed.read_text()

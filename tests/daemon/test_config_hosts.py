"""The hosts of the configuration, checked together."""

from pathlib import Path

import pytest

from daemon import config
from storage.configuration import ConfigError

GATEWAY = '[[host]]\nname = "gw"\naddress = "10.0.0.1"\n'


def load(folder: Path, text: str) -> config.Config:
    file = folder / "scheduler.toml"
    file.write_text(text)
    return config.load(file)


def test_hosts_are_read_in_their_order(tmp_path: Path) -> None:
    text = GATEWAY + '[[host]]\nname = "web"\naddress = "web.example"\nparent = "gw"\ntcp_port = 443\n'
    hosts = load(tmp_path, text).hosts
    assert [(host.name, host.parent, host.tcp_port) for host in hosts] == [
        ("gw", "", None),
        ("web", "gw", 443),
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (GATEWAY + GATEWAY, "two hosts have the name 'gw'"),
        (GATEWAY + 'parent = "gone"\n', "host 'gw': parent = 'gone': there is no such host"),
        (GATEWAY + 'parent = "gw"\n', "host 'gw': parents go in a circle: gw -> gw"),
        (
            GATEWAY + 'parent = "b"\n[[host]]\nname = "b"\naddress = "10.0.0.2"\nparent = "gw"\n',
            "host 'gw': parents go in a circle: gw -> b -> gw",
        ),
        ('[host]\nname = "gw"\n', "must be a list: write [[host]], with two brackets"),
        (GATEWAY + "tcp_port = 0\n", "host[1].tcp_port = 0: should be greater than or equal to 1"),
        (GATEWAY + 'adress = "10.0.0.1"\n', "host[1].adress: unknown key (did you mean address?)"),
    ],
    ids=["twice", "no-parent", "own-parent", "circle", "one-bracket", "port", "typo"],
)
def test_what_is_wrong_with_hosts_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, text)
    assert complaint in str(error.value)

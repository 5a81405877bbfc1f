"""`scheduler.toml` and the environment: every fault with its file, key, value and what is allowed."""

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, model_validator

from storage.configuration import TABLES, ConfigError, Settings, build, config_path, read_tables


class Inner(Settings):
    """A table within a table."""

    depth: int = 1


class Sample(Settings):
    """A table to be checked."""

    name: str
    size: int = Field(default=1, ge=1)
    share: float = Field(default=0.5, gt=0)
    is_on: bool = False
    inner: Inner = Inner()
    words: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _check(self) -> "Sample":
        if self.name == "forbidden":
            raise ValueError("name may be anything but this")
        return self


def read(path: Path, text: str, **environ: str) -> dict[str, Any]:
    path.write_text(text, "utf-8")
    return read_tables(path, environ)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scheduler.toml"


def faults(table: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        build(Sample, table, "sample", "scheduler.toml")
    return str(caught.value).splitlines()


# --- the file ------------------------------------------------------------------------------------------


def test_tables_come_as_they_stand(path: Path) -> None:
    text = '[web]\nport = 5000\n[job.redmine]\nevery_s = 5.0\n[[host]]\nname = "а"\n[[host]]\nname = "b"\n'
    assert read(path, text) == {
        "web": {"port": 5000},
        "job": {"redmine": {"every_s": 5.0}},
        "host": [{"name": "а"}, {"name": "b"}],
    }


def test_a_missing_file_is_an_error_only_where_it_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_tables(Path("scheduler.toml"), {}) == {}
    with pytest.raises(ConfigError, match=r"other\.toml: there is no such file"):
        read_tables(Path("other.toml"), {})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[web\nport = 1", r"is not valid TOML: .*line 1"),
        (b"[web]\nport = \n", r"is not valid TOML: .*line 2"),
        (b"[web]\nport = 1\nport = 2\n", r"is not valid TOML: .*Cannot overwrite"),
        (b"[web]\nname = '\xff'", r"cannot be read: .*can't decode byte"),
        (b"[wbe]\nport = 1", r"\[wbe\]: unknown table \(did you mean web\?\); allowed: storage, daemon, web"),
        (b"[zzz]\nport = 1", r"\[zzz\]: unknown table; allowed: storage"),
        (b"port = 1", r"\[port\]: unknown table"),
    ],
    ids=["broken", "no-value", "twice", "not-utf-8", "misspelt", "unknown", "key-outside-tables"],
)
def test_a_file_that_cannot_be_used_says_where(path: Path, content: bytes, expected: str) -> None:
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=expected) as caught:
        read_tables(path, {})
    assert str(caught.value).startswith(f"{path}: ")


def test_a_folder_instead_of_a_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: .*directory"):
        read_tables(tmp_path, {})


def test_the_file_is_the_one_given_else_the_variable_else_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("HELPDESK_CONFIG", raising=False)
    assert config_path() == Path("scheduler.toml")
    monkeypatch.setenv("HELPDESK_CONFIG", "/etc/helpdesk.toml")
    assert config_path() == Path("/etc/helpdesk.toml")
    assert config_path("mine.toml") == Path("mine.toml")


def test_the_shipped_file_names_every_table_it_may(path: Path) -> None:
    shipped = Path(__file__).parents[2] / "scheduler.toml"
    assert set(read_tables(shipped, {})) <= set(TABLES)


# --- the environment -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HELPDESK_WEB__PORT": "80"}, {"web": {"port": 80, "host": "h"}}),
        ({"HELPDESK_WEB__HOST": "0.0.0.0"}, {"web": {"port": 1, "host": "0.0.0.0"}}),  # noqa: S104
        ({"HELPDESK_WEB": '{host = "x"}'}, {"web": {"host": "x"}}),
        ({"HELPDESK_WEB": "{}", "HELPDESK_WEB__HOST": "y"}, {"web": {"host": "y"}}),
        (
            {"HELPDESK_JOB__REDMINE__EVERY_S": "2.5"},
            {"web": {"port": 1, "host": "h"}, "job": {"redmine": {"every_s": 2.5}}},
        ),
        ({"HELPDESK_WEB__PORT": "true"}, {"web": {"port": True, "host": "h"}}),
        ({"HELPDESK_WEB__PORT": "[1, 2]"}, {"web": {"port": [1, 2], "host": "h"}}),
        ({"HELPDESK_WEB__PORT": '"80"'}, {"web": {"port": "80", "host": "h"}}),
        ({"HELPDESK_WEB__PORT": ""}, {"web": {"port": "", "host": "h"}}),
        ({"HELPDESK_WEB__PORT": "0123"}, {"web": {"port": "0123", "host": "h"}}),
        ({"HELPDESK_WEB__PORT": "a = b\nc"}, {"web": {"port": "a = b\nc", "host": "h"}}),
        ({"HELPDESK_WEB__PORT": "1\nw = 2"}, {"web": {"port": "1\nw = 2", "host": "h"}}),
        ({"HELPDESK_CONFIG": "x", "HELPDESK_KEY": "y", "PATH": "z"}, {"web": {"port": 1, "host": "h"}}),
    ],
    ids=[
        "number",
        "text",
        "whole-table",
        "whole-table-and-key",
        "deep",
        "bool",
        "list",
        "quoted",
        "empty",
        "leading-zero",
        "several-lines",
        "a-second-key",
        "not-ours",
    ],
)
def test_variables_lie_over_the_file(path: Path, environ: dict[str, str], expected: object) -> None:
    assert read(path, '[web]\nport = 1\nhost = "h"\n', **environ) == expected


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("HELPDESK_REDMIEN__URL", r"HELPDESK_REDMIEN__URL: unknown table redmien; allowed: storage"),
        ("HELPDESK_WEB__PORT__NUMBER", r"HELPDESK_WEB__PORT__NUMBER: port is not a table"),
        ("HELPDESK_HOST__NAME", r"HELPDESK_HOST__NAME: host is not a table"),
    ],
)
def test_a_variable_that_fits_nowhere_is_named(path: Path, variable: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=f"environment: {expected}"):
        read(path, '[web]\nport = 1\n[[host]]\nname = "x"\n', **{variable: "1"})


def test_the_environment_of_the_process_is_the_default(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HELPDESK_")]:
        monkeypatch.delenv(name)
    path.write_text("")
    monkeypatch.setenv("HELPDESK_WEB__PORT", "81")
    assert read_tables(path) == {"web": {"port": 81}}


# --- a table against its model ----------------------------------------------------------------------------


def test_a_right_table_becomes_frozen_settings() -> None:
    made = build(Sample, {"name": "x", "inner": {"depth": 2}}, "sample", "f")
    assert (made.name, made.size, made.inner.depth) == ("x", 1, 2)
    with pytest.raises(ValueError, match="frozen"):
        made.name = "y"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({}, "sample.name: is required"),
        ({"name": 5}, "sample.name = 5: should be a valid string"),
        ({"name": "x", "size": "7"}, 'sample.size = "7": should be a valid integer'),
        ({"name": "x", "size": 7.5}, "sample.size = 7.5: should be a valid integer"),
        ({"name": "x", "size": True}, "sample.size = true: should be a valid integer"),
        ({"name": "x", "size": 0}, "sample.size = 0: should be greater than or equal to 1"),
        ({"name": "x", "share": -1}, "sample.share = -1: should be greater than 0"),
        ({"name": "x", "share": float("nan")}, "sample.share = NaN: should be"),
        ({"name": "x", "is_on": "yes"}, 'sample.is_on = "yes": should be a valid boolean'),
        ({"name": "x", "words": "y"}, 'sample.words = "y": should be a valid array'),
        ({"name": "x", "words": ["y", 5]}, "sample.words.1 = 5: should be a valid string"),
        (
            {"name": "x", "siez": 1},
            "sample.siez: unknown key (did you mean size?); allowed: inner, is_on, name, share, size, words",
        ),
        ({"name": "x", "qqq": 1}, "sample.qqq: unknown key; allowed: inner"),
        (
            {"name": "x", "inner": {"dept": 1}},
            "sample.inner.dept: unknown key (did you mean depth?); allowed: depth",
        ),
        ({"name": "x", "inner": 5}, "sample.inner = 5: should be an object"),
        ({"name": "forbidden"}, "name may be anything but this"),
        (5, "sample = 5: should be an object"),
        ("text", 'sample = "text": should be an object'),
        ([{"name": "x"}], "sample = "),
        ({"name": 5 * "x" + "y" * 200, "size": "z" * 200}, 'sample.size = "zzz'),
    ],
)
def test_a_fault_is_named_with_file_key_value_and_what_is_allowed(table: object, expected: str) -> None:
    [line] = faults(table)
    assert line.startswith("scheduler.toml: ")
    assert expected in line
    assert len(line) < 250


def test_every_fault_of_a_table_is_named_at_once() -> None:
    lines = faults({"size": 0, "is_on": "x", "nmae": "y"})
    assert len(lines) == 4
    assert [line.split(": ")[1].split(" ")[0] for line in lines] == [
        "sample.name",
        "sample.size",
        "sample.is_on",
        "sample.nmae",
    ]


def test_a_secret_within_an_address_is_not_printed() -> None:
    [line] = faults({"name": "forbidden", "words": ["postgresql://u:hunter2@h/d"]})
    assert "hunter2" not in line
    [line] = faults({"name": "x", "size": "postgresql://u:hunter2@h/d"})
    assert line.endswith('sample.size = "postgresql://u:***@h/d": should be a valid integer')


def test_a_fault_inside_a_table_that_has_no_model_lists_nothing() -> None:
    class Loose(Settings):
        table: dict[str, Inner] = Field(default_factory=dict)

    with pytest.raises(ConfigError, match=r"loose\.table\.a\.x: unknown key; allowed: $"):
        build(Loose, {"table": {"a": {"x": 1}}}, "loose", "f")

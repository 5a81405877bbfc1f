"""Where each key of the configuration comes from: its line in the file, or its variable."""

from pathlib import Path

import pytest

from storage.configuration import ConfigError, Settings, build, read_tables
from storage.origins import Origins
from storage.toml_lines import begun_at, lines_of

TEXT = '''# a comment with = and [brackets]
[storage]   # [not.a.table]
directory = "a # b = [c]"

[job.redmine]
options.overlap_s = 60
"a.b" = 1
words = [
    "x = 1",  # [web]
    "]",
]
long = """
[web]
port = 1
"""
after = {deep = 1, list = [{x = 1}, 2]}
[[host]]
name = "a"
[host.inner]
depth = 1
[[host]]
name = 'b'
[[host.window]]
days = []
[[host.window]]
days = []
[ spaced . "out" ]
key = 1'''

LINES = {
    ("storage",): 2,
    ("storage", "directory"): 3,
    ("job",): 5,
    ("job", "redmine"): 5,
    ("job", "redmine", "options"): 6,
    ("job", "redmine", "options", "overlap_s"): 6,
    ("job", "redmine", "a.b"): 7,
    ("job", "redmine", "words"): 8,
    ("job", "redmine", "words", 1): 8,
    ("job", "redmine", "long"): 12,
    ("job", "redmine", "after"): 16,
    ("job", "redmine", "after", "list", 0, "x"): 16,
    ("host",): 17,
    ("host", 0): 17,
    ("host", 0, "name"): 18,
    ("host", 0, "inner"): 19,
    ("host", 0, "inner", "depth"): 20,
    ("host", 1): 21,
    ("host", 1, "name"): 22,
    ("host", 1, "window", 0): 23,
    ("host", 1, "window", 0, "days"): 24,
    ("host", 1, "window", 1): 25,
    ("host", 1, "window", 1, "days"): 26,
    ("spaced", "out"): 27,
    ("spaced", "out", "key"): 28,
}


def test_every_table_and_key_has_its_line() -> None:
    found = lines_of(TEXT)
    assert {keys: found[keys] for keys in LINES} == LINES
    assert "web" not in {keys[0] for keys in found}


def test_lines_are_counted_alike_however_they_end() -> None:
    assert lines_of("[web]\r\nport = 1\r\n")["web", "port"] == 2
    assert lines_of("") == {}


def test_every_key_of_the_shipped_file_has_a_line() -> None:
    shipped = Path(__file__).parents[2] / "scheduler.toml"
    text, tables = shipped.read_text("utf-8"), read_tables(shipped, {})
    for name, table in tables.items():
        for key in table:
            row = text.split("\n")[lines_of(text)[name, key] - 1]
            assert key in row


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("[web]\nport = = 1\nhost = 2", 2, (2, ("web", "port"))),
        ('[web]\nport = """1\nhost = 2', 3, (2, ("web", "port"))),
        ("[web]\nport = 1\nport = [\n2]", 4, (3, ("web", "port"))),
        ("[web]\n= 1", 2, (2, ("web",))),
        ("[web]\nport", 2, (2, ("web", "port"))),
        ("[web\nport = 1", 1, (1, ())),
        ("[web]\na = 1\n[web]\n", 3, (3, ("web",))),
        ("", 1, (1, ())),
    ],
    ids=["value", "never-ends", "twice", "no-key", "no-value", "table", "table-twice", "nothing"],
)
def test_a_broken_text_is_broken_where_its_statement_begins(
    text: str, line: int, expected: tuple[int, tuple[str, ...]]
) -> None:
    assert begun_at(text, line) == expected


class Inner(Settings):
    """A table within a table."""

    days: list[str]


class Sample(Settings):
    """A table to be checked."""

    size: int
    inner: tuple[Inner, ...] = ()


def said(path: Path, text: str, **environ: str) -> list[str]:
    path.write_text(text)
    tables = read_tables(path, environ)
    with pytest.raises(ConfigError) as caught:
        build(Sample, tables["web"], "web", tables.origins)
    return str(caught.value).splitlines()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scheduler.toml"


def test_faults_carry_the_line_of_the_key_else_of_its_table(path: Path) -> None:
    lines = said(path, "\n[web]\nsiez = 1\n[[web.inner]]\ndays = [1]\n[[web.inner]]\n")
    assert lines == [
        f"{path}: web.size: is required (at line 2)",
        f"{path}: web.inner.0.days.0 = 1: should be a valid string (at line 5)",
        f"{path}: web.inner.1.days: is required (at line 6)",
        f"{path}: web.siez: unknown key (did you mean size?); allowed: inner, size (at line 3)",
    ]


@pytest.mark.parametrize(
    ("text", "environ", "expected"),
    [
        ("[web]\nsize = 1", {"HELPDESK_WEB__SIZE": "x"}, "environment: HELPDESK_WEB__SIZE: web.size ="),
        ("", {"HELPDESK_WEB__SIZE": "x"}, "environment: HELPDESK_WEB__SIZE: web.size ="),
        ("[web]\nsize = 1", {"HELPDESK_WEB": "{size = 1.5}"}, "environment: HELPDESK_WEB: web.size ="),
        ("", {"HELPDESK_WEB__INNER": "[]"}, "environment: HELPDESK_WEB__INNER: web.size: is required"),
        ("[web]\nsize = 'x'", {"HELPDESK_WEB__INNER": "[]"}, "web.size ="),
    ],
    ids=["laid-over", "no-table", "whole-table", "missing", "another-key"],
)
def test_a_fault_of_the_environment_names_the_variable_instead(
    path: Path, text: str, environ: dict[str, str], expected: str
) -> None:
    [line] = said(path, text, **environ)
    assert expected in line
    assert ("line" in line) == (not expected.startswith("environment"))
    assert line.startswith((f"{path}: ", "environment: "))


def test_a_fault_of_a_credential_names_no_line_of_the_file(path: Path, tmp_path: Path) -> None:
    (tmp_path / "redmine-key").write_text("key")
    path.write_text('[redmine]\napi_key_file = "/other"\n')
    tables = read_tables(path, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    text = tables.origins.fault_named(("redmine",), "redmine: api_key_file: x cannot be read")
    assert text == "environment: CREDENTIALS_DIRECTORY: redmine: api_key_file: x cannot be read"


def test_a_complaint_is_placed_by_the_key_that_it_names() -> None:
    origins = Origins("f", "[erp]\nurl = 'x'\npassword_env = 'Y'\n")
    assert origins.fault_named(("erp",), "[erp]: password_env is empty").endswith("(at line 3)")
    assert origins.fault_named(("erp",), "[erp]: is down").endswith("(at line 1)")
    assert origins.fault_named(("web",), "[web]: port") == "f: [web]: port"


def test_of_several_keys_the_one_that_is_given_is_to_blame() -> None:
    origins = Origins("f", "[erp]\nurl = 'x'\n", {("web", "port"): "HELPDESK_WEB__PORT"})
    assert origins.first_given(("erp", "mode"), ("erp", "url")) == ("erp", "url")
    assert origins.first_given(("erp", "mode"), ("web", "port")) == ("web", "port")
    assert origins.first_given(("erp", "mode"), ("web", "host")) == ("erp", "mode")

"""On which line of a TOML text each table and key begins. The library that reads TOML does not say.

The text is cut into statements: a line, and those after it until `tomllib` takes them together. So what is a
string, a comment or a bracket is judged by the same reader that reads the file.
"""

import tomllib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

Keys = tuple[str | int, ...]
Statement = tuple[int, str, dict[str, Any] | None]


@lru_cache(2)
def lines_of(text: str) -> dict[Keys, int]:
    """Return the line, from 1, of every table and key; a table that only its own tables make has theirs.

    Tables of `[[name]]` are counted from 0: `("host", 1, "address")`. What an inline table or a list holds is
    on the line of its key.
    """
    lines: dict[Keys, int] = {}
    for line, keys, _ in _places(text):
        for end in range(1, len(keys) + 1):
            lines.setdefault(keys[:end], line)
    return lines


def begun_at(text: str, line: int) -> tuple[int, Keys]:
    """Return line and keys of what is wrong with a text that `tomllib` refused, complaining of this line.

    It is the first statement that is none, else the one that does not go with those before it.
    """
    found: tuple[int, Keys] = (line, ())
    begun = 0
    for at, keys, is_whole in _places(text):
        if not is_whole:
            return at, keys
        if begun < at <= line:
            begun, found = at, (at, keys)
    return found


def _places(text: str) -> Iterator[tuple[int, Keys, bool]]:
    """Yield the line and the keys of everything, and whether its statement is whole."""
    table: Keys = ()
    counts: dict[Keys, int] = {}
    for line, source, parsed in _statements(text):
        if not source.lstrip().startswith("["):
            inside = _key_before_equals(source) if parsed is None else parsed
            found = list(_paths(inside)) or [()]
            yield from ((line, table + keys, parsed is not None) for keys in found)
        elif parsed is not None:
            table = _table(parsed, counts)
            yield line, table, True
        else:
            yield line, (), False


def _statements(text: str) -> Iterator[Statement]:
    """Yield the line, the source and the value of every statement; None is the value of a broken one."""
    rows = text.replace("\r\n", "\n").split("\n")
    begin = 0
    while begin < len(rows):
        end, parsed = begin, None
        longest = begin + 1 if rows[begin].lstrip().startswith("[") else len(rows)  # a [table] is one line
        while parsed is None and end < longest:
            end += 1
            parsed = _parsed("\n".join(rows[begin:end]))
        if parsed is None:  # no number of lines makes it whole: what comes after may stand by itself
            end = begin + 1
        if parsed != {}:
            yield begin + 1, rows[begin], parsed
        begin = end


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _key_before_equals(source: str) -> dict[str, Any]:
    return _parsed(source.partition("=")[0] + "= 0") or {}


def _table(parsed: dict[str, Any], counts: dict[Keys, int]) -> Keys:
    """Return the keys of a `[table]` or the next `[[table]]`; what lies in a list is in its latest part."""
    keys: Keys = ()
    inside: Any = parsed
    while inside:
        if isinstance(inside, list):
            counts[keys] = counts.get(keys, -1) + 1
            return (*keys, counts[keys])
        [(name, inside)] = inside.items()
        keys = (*keys, name)
        if keys in counts and not isinstance(inside, list):
            keys = (*keys, counts[keys])
    return keys


def _paths(value: object) -> Iterator[Keys]:
    """Yield the keys of everything within a value, from the outside."""
    inside: Any = ()
    if isinstance(value, dict):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    for key, part in inside:
        yield (key,)
        yield from ((key, *keys) for keys in _paths(part))

"""Every word of the viewer is there in Russian."""

import re
import subprocess
import sys
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from tests.e2e.viewer import ROOT

RUSSIAN = ROOT / "web/translations/ru/LC_MESSAGES/messages.po"
PLACEHOLDER = re.compile(r"%\(\w+\)s")


def _used(folder: Path) -> Catalog:
    template = folder / "messages.pot"
    command = [sys.executable, "-m", "babel.messages.frontend", "-q", "extract", "-F", "web/babel.cfg"]
    subprocess.run([*command, "-k", "lazy_gettext", "-o", template, "web"], cwd=ROOT, check=True, timeout=60)
    with template.open("rb") as file:
        return read_po(file)


def _ids(catalog: Catalog) -> set[str | tuple[str, ...]]:
    return {tuple(m.id) if isinstance(m.id, list | tuple) else m.id for m in catalog if m.id}


def _forms(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def test_every_text_is_translated_and_none_is_left_over(tmp_path: Path) -> None:
    with RUSSIAN.open("rb") as file:
        russian = read_po(file)
    assert _ids(_used(tmp_path)) == _ids(russian)
    assert [m.id for m in russian if m.id and (m.fuzzy or not all(_forms(m)))] == []


def test_translations_keep_the_placeholders() -> None:
    with RUSSIAN.open("rb") as file:
        russian = [message for message in read_po(file) if message.id]
    for message in russian:
        wanted = set(PLACEHOLDER.findall(message.id if isinstance(message.id, str) else message.id[1]))
        for form in _forms(message):
            assert set(PLACEHOLDER.findall(form)) == wanted, message.id


def test_plural_texts_have_the_three_russian_forms() -> None:
    with RUSSIAN.open("rb") as file:
        plural = [message for message in read_po(file) if message.id and not isinstance(message.id, str)]
    assert plural
    assert all(len(set(_forms(message))) == 3 for message in plural)

"""Finesse's XML to plain nodes: safely, and whatever the prefixes, the order and the number of its children.

What stands in an answer is not trusted: no document type and so no entity is taken, and an answer has a
length, a depth and a number of elements that it may have.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.sax import SAXException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

import defusedxml.sax
from defusedxml import DefusedXmlException

from daemon.clients.errors import WrongAnswer

DEEPEST = 40
MOST_NODES = 50_000


class _TooMuch(Exception):
    """More than any Finesse says."""


@dataclass(slots=True)
class Node:
    """An element: its name without prefix, its own text without spaces around it, its children."""

    name: str
    text: str = ""
    children: "list[Node]" = field(default_factory=list)

    def child(self, name: str) -> "Node | None":
        """Return the first child of that name, None where there is none."""
        return next(self.all(name), None)

    def all(self, name: str) -> "Iterator[Node]":
        """Yield the children of that name: one is still a list."""
        return (child for child in self.children if child.name == name)

    def below(self, *path: str) -> "Iterator[Node]":
        """Yield what lies at the end of a path of names."""
        if not path:
            yield self
            return
        for child in self.all(path[0]):
            yield from child.below(*path[1:])

    def value(self, *path: str) -> str:
        """Return the text at the end of a path, "" where there is none."""
        return next((node.text for node in self.below(*path)), "")


def parsed(where: str, body: bytes) -> Node:
    """Return the root element. Raises WrongAnswer."""
    builder = _Builder()
    try:
        # Without namespaces, so that a prefix that nobody declared is no error either.
        defusedxml.sax.parseString(body, builder, forbid_dtd=True)  # type: ignore[no-untyped-call]
    except (SAXException, DefusedXmlException, _TooMuch, ValueError, LookupError) as e:
        reason = type(e).__name__ if isinstance(e, DefusedXmlException) else str(e)
        raise WrongAnswer(f"{where}: the answer is no XML of Finesse ({reason[:200]}).") from e
    if builder.root is None:
        raise WrongAnswer(f"{where}: the answer is empty.")
    return builder.root


class _Builder(ContentHandler):
    """Builds nodes, and stops where an answer goes beyond all measure."""

    def __init__(self) -> None:
        super().__init__()
        self.root: Node | None = None
        self._open: list[Node] = []
        self._texts: list[list[str]] = []
        self._count = 0

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802, ARG002 - the handler's
        self._count += 1
        if len(self._open) >= DEEPEST or self._count > MOST_NODES:
            raise _TooMuch("it is nested too deep or too long")
        node = Node(name.rpartition(":")[2])
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)
        self._texts.append([])

    def endElement(self, name: str) -> None:  # noqa: N802, ARG002 - the handler's
        self._open.pop().text = "".join(self._texts.pop()).strip()

    def characters(self, content: str) -> None:
        self._texts[-1].append(content)

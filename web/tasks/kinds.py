"""Asks Redmine which kinds of issues it shows somebody, by one issue of each.

Redmine shows or hides issues by a few of their fields only, so issues that agree in these are shown alike.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from daemon.clients.values import Account

K = TypeVar("K")
# Redmine needs 0.3 s to list so many where it hides a part of them.
AT_ONCE = 50
OTHERS = 4


class Reader(Protocol):
    """Redmine as one person sees it."""

    def account(self) -> Account: ...
    def visible_ids(self, ids: Sequence[int]) -> frozenset[int]: ...


@dataclass(slots=True)
class Said(Generic[K]):
    """What Redmine said; kinds in neither set were not asked about.

    `gone` are single issues that it hides (deleted, moved a moment ago) though it shows others of their
    kind, which is then among `odd` too.
    """

    shown: set[K] = field(default_factory=set)
    hidden: set[K] = field(default_factory=set)
    odd: set[K] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)


def ask(
    reader: Reader,
    samples: Mapping[K, int],
    others: Callable[[Iterable[K]], Mapping[K, Sequence[int]]],
    said: Said[K],
    is_late: Callable[[], bool],
) -> None:
    """Ask by one sample of each kind, then by `others` of those that are hidden; write into `said`.

    Ends early once `is_late`. Raises SourceError; what was said until then is in `said`.
    """
    doubtful: list[K] = []
    for kinds in _chunks(list(samples), AT_ONCE):
        if is_late():
            return
        visible = reader.visible_ids([samples[kind] for kind in kinds])
        said.shown |= {kind for kind in kinds if samples[kind] in visible}
        doubtful += [kind for kind in kinds if samples[kind] not in visible]
    further = others(doubtful) if doubtful else {}
    said.hidden |= {kind for kind in doubtful if not further.get(kind)}
    for kinds in _chunks([kind for kind in doubtful if further.get(kind)], AT_ONCE // OTHERS):
        if is_late():
            return
        asked = {kind: [samples[kind], *further[kind][:OTHERS]] for kind in kinds}
        _judge(asked, reader.visible_ids([number for ids in asked.values() for number in ids]), said)


def _judge(asked: Mapping[K, Sequence[int]], visible: frozenset[int], said: Said[K]) -> None:
    for kind, ids in asked.items():
        if visible.isdisjoint(ids):
            said.hidden.add(kind)
        else:
            said.shown.add(kind)
            said.odd.add(kind)
            said.gone |= set(ids) - visible


def _chunks(kinds: Sequence[K], size: int) -> Iterator[Sequence[K]]:
    return (kinds[start : start + size] for start in range(0, len(kinds), size))

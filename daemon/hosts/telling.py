"""Pure: news of hosts to changes for the people they concern."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from daemon.hosts.sweep import ancestors
from daemon.hosts.values import HostNews, Watched
from daemon.values import Addressed, Change, Colleague, Concerned, FieldChange, Person

NETWORK_THREAD = "network"
_NOBODY = Person(0, "")


def addressed(
    news: Iterable[HostNews], hosts: Sequence[Watched], colleagues: Sequence[Colleague]
) -> tuple[Addressed, ...]:
    """Return each news once for each person it concerns.

    A host that is down concerns those who look after it and after the hosts behind it, which are not told
    of by themselves. Our own network concerns everybody who looks after a host, and administrators.
    """
    admins = {c.username.lower(): c for c in colleagues if c.role == "admin"}
    by_name = {c.username.lower(): c for c in colleagues}
    return tuple(
        Addressed(change, colleague.member(), (reason,))
        for one in news
        for change in [change_of(one, hosts)]
        for colleague, reason in _people(one, hosts, admins, by_name)
    )


def change_of(news: HostNews, hosts: Sequence[Watched]) -> Change:
    """Return the change that a piece of news is."""
    return Change(
        key=_key(news),
        type=news.kind,
        item_id=0,
        at=news.at,
        actor=_NOBODY,
        concerned=Concerned(),
        subject=news.host.name if news.host else "",
        details=tuple(_details(news, hosts)),
        thread=f"host:{news.host.name}" if news.host else NETWORK_THREAD,
    )


def _key(news: HostNews) -> str:
    """Return a name that the same news has again after a crash."""
    what = str(news.host.id) if news.host else "network"
    again = f":{news.again.timestamp():.0f}" if news.again else ""
    return f"hosts:{what}:{news.kind.partition('_')[2]}:{_moment(news)}{again}"


def _moment(news: HostNews) -> str:
    moment = news.at if news.kind == "host_flapping" or news.is_settled else news.since
    return f"{moment.timestamp():.6f}"


def _details(news: HostNews, hosts: Sequence[Watched]) -> Iterator[FieldChange]:
    """Return facts, in words that are the same in every language."""
    seconds = str(round((news.at - news.since).total_seconds()))
    if news.kind in {"host_up", "network_back"}:
        name = "host_settled" if news.is_settled else "host_duration"
        yield FieldChange(name, None, seconds)
    elif news.kind == "network_lost":
        yield FieldChange("host_failing", None, f"{news.failing}/{news.total}")
    elif news.kind == "host_down":
        yield FieldChange("host_reason", None, news.reason)
        if news.host is not None and (count := len(_behind(news.host, hosts))):
            yield FieldChange("host_behind", None, str(count))
        if news.again is not None:
            yield FieldChange("host_still", None, seconds)


def _behind(host: Watched, hosts: Sequence[Watched]) -> list[Watched]:
    by_name = {other.name: other for other in hosts}
    return [other for other in hosts if host in ancestors(other, by_name)]


def _people(
    news: HostNews,
    hosts: Sequence[Watched],
    admins: Mapping[str, Colleague],
    by_name: Mapping[str, Colleague],
) -> Iterator[tuple[Colleague, str]]:
    """Return whom it concerns, each once, and why."""
    about = list(hosts) if news.host is None else [news.host]
    if news.host is not None and news.kind != "host_flapping" and not news.is_settled:
        about += _behind(news.host, hosts)
    named = {name.lower() for host in about for name in host.people} & by_name.keys()
    wants_admins = news.host is None or any(not host.people for host in about)
    for name in sorted(named):
        yield by_name[name], "looks_after"
    for name in sorted(admins.keys() - named) if wants_admins else ():
        yield admins[name], "administrator"

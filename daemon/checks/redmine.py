"""Whether Redmine can be polled: each line is looked at only where those before it are well."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import requests

from daemon.checks.rows import Row, fault, off, warning, well
from daemon.clients.errors import ImpersonationRefused, NotFound, SourceError, SourceRefused
from daemon.clients.redmine import RedmineClient
from daemon.clients.redmine_probe import Visit, server_time, visit
from daemon.clients.settings import RedmineSettings, SettingsError
from daemon.clients.values import Account

PARTS = ("address", "rest", "key", "admin", "acting", "version", "clock")
SKEW_S = 60.0
Look = Iterator[Row]

KEY_CURE = (
    "put the API key of an active administrator of Redmine (My account, API access key) where "
    "api_key_file or api_key_env of [redmine] says"
)


def redmine_rows(
    settings: RedmineSettings, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Iterator[Row]:
    """Look at Redmine as far as it can be; what a fault hides is said to be so."""
    seen = []
    for row in _looks(settings, now):
        seen.append(row.name)
        yield row
    for part in PARTS:
        if (name := f"redmine.{part}") not in seen:
            yield off(name, f"not looked at, because of {seen[-1]}")


def _looks(settings: RedmineSettings, now: Callable[[], datetime]) -> Look:
    try:
        seen = visit(settings)
    except SourceError as e:
        yield fault(
            "redmine.address", str(e), "correct [redmine] url, or start Redmine and what lies before it"
        )
        return
    address = address_row(settings, seen)
    yield address
    if address.state == "ok":
        rest = rest_row(seen)
        yield rest
        if rest.state == "ok":
            yield from _with_key(settings, now)


def address_row(settings: RedmineSettings, seen: Visit) -> Row:
    """Say whether it is Redmine that answers a visitor without a key."""
    name = "redmine.address"
    if 300 <= seen.status < 400:
        target = seen.location or "nowhere"
        return fault(
            name, f"{settings.url} leads on to {target}", "put Redmine's final address into [redmine] url"
        )
    if seen.status not in {requests.codes.unauthorized, requests.codes.forbidden}:
        found = f"{settings.url} does not answer as Redmine does (status {seen.status})"
        return fault(name, found, "put the address under which Redmine's pages lie into [redmine] url")
    return well(name, f"{settings.url} answers in {seen.took_s * 1000:.0f} ms")


def rest_row(seen: Visit) -> Row:
    """Say whether the REST web service is on: where it is, a visitor is asked who he is."""
    if seen.status == requests.codes.forbidden:
        cure = "in Redmine: Administration, Settings, API: enable REST web service"
        return fault("redmine.rest", "REST is switched off", cure)
    return well("redmine.rest", "REST is switched on")


def _with_key(settings: RedmineSettings, now: Callable[[], datetime]) -> Look:
    try:
        client = RedmineClient(settings)
    except SettingsError as e:
        yield fault("redmine.key", str(e), KEY_CURE)
        return
    try:
        yield from _as_owner(client, settings, now)
    finally:
        client.close()


def _as_owner(client: RedmineClient, settings: RedmineSettings, now: Callable[[], datetime]) -> Look:
    try:
        account = client.account()
    except SourceError as e:
        yield fault("redmine.key", str(e), KEY_CURE)
        return
    yield well("redmine.key", f"the key is that of {account.login}")
    if not account.is_admin:
        yield fault(
            "redmine.admin", f"the key belongs to {account.login}, who is not an administrator", KEY_CURE
        )
        return
    yield well("redmine.admin", f"{account.login} is an administrator")
    yield from _looked("redmine.acting", lambda: acting_row(client, account))
    yield from _looked("redmine.version", lambda: version_row(client))
    yield from _looked("redmine.clock", lambda: clock_row(server_time(settings), now()))


def _looked(name: str, look: Callable[[], Row]) -> Look:
    try:
        yield look()
    except SourceError as e:
        yield fault(name, str(e), "look into Redmine's log, and at the proxies before it")


def acting_row(client: RedmineClient, owner: Account) -> Row:
    """Say whether Redmine answers as other people: a proxy that drops the header would show us everything."""
    name = "redmine.acting"
    other = next((user for user in client.users() if user.login != owner.login), None)
    if other is None:
        return off(name, "Redmine has no other people yet")
    cure = "let the proxies before Redmine pass the header X-Redmine-Switch-User on"
    try:
        answered = client.acting_as(other.login).account()
    except ImpersonationRefused as e:
        return fault(name, str(e), "unlock this account in Redmine, or look into its log")
    if answered.login != other.login:
        return fault(name, f"asked as {other.login}, Redmine answers as to {answered.login}", cure)
    return well(name, f"Redmine answers as to {other.login}")


def version_row(client: RedmineClient) -> Row:
    """Say whether Redmine is new enough: what 5.0 brought is in an issue, where there is one."""
    name = "redmine.version"
    page = client.list_issues(sort="updated_on:desc,id", limit=1)
    if not page.issues:
        return off(name, "cannot be told before Redmine has its first issue")
    try:
        issue = client.issue(page.issues[0].id, include=("allowed_statuses",))
    except (NotFound, SourceRefused):
        return off(name, "the issue that would have told it has just been removed")
    if not issue.allowed_statuses:
        found = "Redmine does not say which statuses an issue may get: it is older than 5.0"
        return fault(name, found, "update Redmine to 5.0 or newer")
    return well(name, "5.0 or newer")


def clock_row(told_at: datetime | None, now: datetime) -> Row:
    """Say whether Redmine's clock goes as ours does."""
    name = "redmine.clock"
    if told_at is None:
        return off(name, "Redmine does not say what time it has")
    skew_s = (told_at - now).total_seconds()
    if abs(skew_s) > SKEW_S:
        side = "ahead of" if skew_s > 0 else "behind"
        found = f"Redmine's clock is {abs(skew_s):.0f} s {side} ours"
        return warning(name, found, "let both machines follow a time server (chrony, systemd-timesyncd)")
    return well(name, f"differs from ours by less than {max(2, round(abs(skew_s)) + 1)} s")

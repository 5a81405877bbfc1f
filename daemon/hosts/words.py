"""Pure: news of hosts in people's words. English is the source language; Russian is in `translations/ru`."""

import gettext
from collections.abc import Callable, Mapping

from daemon.values import Change

Translate = Callable[[str], str]


def N_(text: str) -> str:  # noqa: N802 - the customary mark for texts translated later
    """Mark a text for the translators; it is looked up in the reader's language when used."""
    return text


TITLES = {
    "host_down": N_("Host is down"),
    "host_up": N_("Host is back"),
    "host_flapping": N_("Host is unstable"),
    "network_lost": N_("Our own network seems to be lost"),
    "network_back": N_("Our own network is back"),
}
MESSAGES = {
    "host_down": N_("%(host)s is down: %(reason)s"),
    "host_down_behind": N_(
        "%(host)s is down: %(reason)s. Hosts behind it that cannot be reached either: %(behind)s"
    ),
    "host_still": N_("%(host)s is still down after %(duration)s: %(reason)s"),
    "host_up": N_("%(host)s is back after %(duration)s"),
    "host_settled": N_("%(host)s is up and stable again"),
    "host_flapping": N_("%(host)s goes up and down again and again; more is told when it is stable"),
    "network_lost": N_(
        "%(failing)s of %(total)s hosts do not answer any more: probably it is our own network"
    ),
    "network_back": N_("Hosts answer again after %(duration)s"),
}
REASONS = {
    "no_answer": N_("it does not answer"),
    "refused": N_("%(detail)s says that it cannot be reached"),
    "not_sent": N_("nothing can be sent to it (%(detail)s)"),
}


def texts(change: Change, kind: str, translations: gettext.NullTranslations) -> tuple[str, str]:
    """Return title and message of news of a host, or of our own network."""
    translate = translations.gettext
    said = {detail.field: detail.new or "" for detail in change.details}
    failing, _, total = said.get("host_failing", "").partition("/")
    seconds = said.get("host_duration") or said.get("host_still") or "0"
    words = {
        "host": change.subject,
        "reason": reason(said.get("host_reason", ""), translate),
        "behind": said.get("host_behind", ""),
        "duration": duration(int(seconds), translate),
        "failing": failing,
        "total": total,
    }
    return translate(TITLES[kind]), translate(MESSAGES[_pattern(kind, said)]) % words


def reason(code: str, translate: Translate) -> str:
    """Return why a host is down, in words."""
    word, _, detail = code.partition(" ")
    return translate(REASONS.get(word, REASONS["no_answer"])) % {"detail": detail}


def duration(seconds: int, translate: Translate) -> str:
    """Return a time span in its two largest units."""
    days, rest = divmod(max(0, seconds), 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    parts = (
        (days, N_("%(count)s d")),
        (hours, N_("%(count)s h")),
        (minutes, N_("%(count)s min")),
        (rest, N_("%(count)s s")),
    )
    first = next((place for place, (count, _) in enumerate(parts) if count), 3)
    shown = [part for part in parts[first : first + 2] if part[0]] or [parts[3]]
    return " ".join(translate(text) % {"count": count} for count, text in shown)


def _pattern(kind: str, said: Mapping[str, str]) -> str:
    if kind == "host_down" and "host_still" in said:
        return "host_still"
    if kind == "host_down" and "host_behind" in said:
        return "host_down_behind"
    return "host_settled" if "host_settled" in said else kind

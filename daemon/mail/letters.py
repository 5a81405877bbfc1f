"""Pure: what one person is told, to a mail: subject, headers for threads and for stopping it, text, HTML."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from ipaddress import ip_address
from itertools import groupby
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from daemon.channel import News, Parcel, Recipient, Surroundings
from daemon.mail import words
from daemon.mail.addresses import address, one_line, readable
from daemon.ways import zone_of

LONGEST_NOTE = 20_000
LONGEST_NOTE_IN_DIGEST = 600
LONGEST_VALUE = 500
MOST_IN_DIGEST = 200  # the inbox has the rest


# Headers for programs. The library writes a long address in one of them as encoded words, which none reads.
_WHOLE = frozenset({"message-id", "in-reply-to", "references", "list-id", "list-unsubscribe"})


class _Policy(EmailPolicy):
    """Folds headers for people, and leaves those for programs in one piece."""

    def fold(self, name: str, value: str) -> str:
        return f"{name}: {value}{self.linesep}" if name.lower() in _WHOLE else super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        is_whole = name.lower() in _WHOLE
        return self.fold(name, value).encode("ascii") if is_whole else super().fold_binary(name, value)


POLICY = _Policy() + SMTP


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What all mails of an installation have in common."""

    sender: Address
    reply_to: Address | None
    surroundings: Surroundings

    @property
    def domain(self) -> str:
        """The name under which our mails are numbered: the viewer's, if it has one, else the sender's."""
        host = urlsplit(self.surroundings.public_url).hostname or ""
        return host if "." in host and host.isascii() and not _is_number(host) else self.sender.domain

    def pages(self, recipient: Recipient) -> dict[str, str]:
        """Return the addresses that stand in every mail."""
        home = self.surroundings.public_url
        return {
            "inbox": f"{home}/notifications",
            "settings": f"{home}/users/notifications",
            "unsubscribe": f"{home}/unsubscribe/{recipient.mail_token}",
        }


def letter(parcel: Parcel, head: Letterhead, now: datetime) -> EmailMessage:
    """Return the mail of one notification. Raises ValueError where its recipient has no usable address."""
    news, to = parcel.news, parcel.recipient
    entry = _entry(news, to, head, LONGEST_NOTE)
    mail = _blank(to, head, now)
    mail["Subject"] = subject(news)
    mail["Message-ID"] = f"<notification-{news.id}.{_stamp(news)}@{head.domain}>"
    thread = f"<{_atom(news.thread or str(news.id))}.user-{to.user_id}@{head.domain}>"
    mail["In-Reply-To"] = thread
    mail["References"] = thread
    if news.is_urgent:
        mail["Importance"] = "high"
    _write(mail, "letter", to, {"entry": entry, "pages": head.pages(to)})
    return mail


def digest(parcels: Sequence[Parcel], head: Letterhead, now: datetime) -> EmailMessage:
    """Return one mail of several notifications of one person, by project and issue.

    Raises ValueError where they have no usable address.
    """
    to = parcels[0].recipient
    newest = sorted(parcels, key=lambda p: (p.news.created_at, p.news.id))[-MOST_IN_DIGEST:]
    entries = [_entry(parcel.news, to, head, LONGEST_NOTE_IN_DIGEST) for parcel in newest]
    mail = _blank(to, head, now)
    translate = words.translations(to.language).ngettext
    count = len(parcels)
    mail["Subject"] = translate("%(count)d notification", "%(count)d notifications", count) % {"count": count}
    last = newest[-1].news
    mail["Message-ID"] = f"<digest-{last.id}.{count}.{_stamp(last)}.user-{to.user_id}@{head.domain}>"
    content = {
        "heading": str(mail["Subject"]),
        "projects": _by_project(entries),
        "left_out": count - len(entries),
        "pages": head.pages(to),
    }
    _write(mail, "digest", to, content)
    return mail


def subject(news: News) -> str:
    """Return `[Project] #123 Subject: what happened` on one line."""
    about, title = _about(news), one_line(news.title, 100)
    return f"{about}: {title}" if about else title


def _about(news: News) -> str:
    """Return `[Project] #123 Subject`, as far as there is such."""
    project = f"[{one_line(news.project, 60)}]" if news.project else ""
    return " ".join(part for part in (project, _topic(news)) if part)


def _topic(news: News) -> str:
    number = f"#{news.issue_id}" if news.issue_id is not None else ""
    return " ".join(part for part in (number, one_line(news.subject, 150)) if part)


def _blank(to: Recipient, head: Letterhead, now: datetime) -> EmailMessage:
    """Return a mail with the headers that all have."""
    mail = EmailMessage(policy=POLICY)
    mail["From"] = head.sender
    mail["To"] = address(to.email, to.name)
    if head.reply_to is not None:
        mail["Reply-To"] = head.reply_to
    mail["Date"] = format_datetime(now)
    mail["Auto-Submitted"] = "auto-generated"  # nobody's holiday is announced to us
    mail["X-Auto-Response-Suppress"] = "All"
    mail["List-Id"] = f"Helpdesk <helpdesk.{head.domain}>"
    mail["List-Unsubscribe"] = f"<{_ascii(head.pages(to)['unsubscribe'])}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058; heeded where we have https
    return mail


def _write(mail: EmailMessage, name: str, to: Recipient, content: Mapping[str, Any]) -> None:
    templates = words.templates(to.language)
    mail.set_content(templates.get_template(f"{name}.txt").render(content), cte="quoted-printable")
    language = to.language if to.language in words.TIMES else "en"
    html = templates.get_template(f"{name}.html").render({**content, "language": language})
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    mail["Content-Language"] = language  # now: new content takes such headers away


def _entry(news: News, to: Recipient, head: Letterhead, longest_note: int) -> dict[str, Any]:
    """Return a notification as the templates show it."""
    # Of what is no issue the sentence says all; its details are for programs.
    changed = news.details if news.issue_id is not None else ()
    details = [words.detail(change, to.language) for change in changed]
    return {
        "about": _about(news),
        "topic": _topic(news) or one_line(news.title),
        "thread": news.thread,
        "project": one_line(news.project),
        "title": one_line(news.title),
        "message": one_line(news.message, 1000),
        "actor": one_line(news.actor),
        "at": words.time_there(news.created_at, zone_of(to.time_zone), to.language),
        "details": [tuple(one_line(text, LONGEST_VALUE) for text in detail) for detail in details],
        "note": _cut(readable(news.notes).strip(), longest_note),
        "is_private_note": news.is_private_note,
        "is_urgent": news.is_urgent,
        "issue_id": None if news.type == "issue_deleted" else news.issue_id,
        "link": head.surroundings.link(news),
        "reasons": words.reasons(news.reasons, to.language),
    }


def _by_project(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return entries grouped by project, and in each by what they are about: the earliest first,
    what belongs to no project last."""
    first: dict[str, int] = {}
    for place, entry in enumerate(entries):
        first.setdefault(entry["thread"], place)
    ordered = sorted(entries, key=lambda e: (not e["project"], e["project"].casefold(), first[e["thread"]]))
    return [
        {"name": project, "threads": [list(thread) for _, thread in groupby(of_it, lambda e: e["thread"])]}
        for project, of_it in groupby(ordered, lambda e: e["project"])
    ]


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _stamp(news: News) -> str:
    """Return what tells a mail from others of that number: one sent again after a snooze is another."""
    return f"{news.surfaced_at or news.created_at:%Y%m%d%H%M%S}"


def _atom(thread: str) -> str:
    """Return a thread's name as it may stand in a Message-ID: `issue:7` is `issue-7`."""
    return re.sub(r"[^A-Za-z0-9]+", "-", thread)


def _ascii(url: str) -> str:
    """Return an address as the network knows it: a header holds no other letters."""
    parts = urlsplit(url)
    host = (parts.hostname or "").encode("idna").decode()
    netloc = f"[{host}]" if ":" in host else host
    netloc += f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=netloc, path=quote(parts.path)))


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True

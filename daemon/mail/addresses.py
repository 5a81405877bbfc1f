"""Headers and addresses out of what people wrote: one line each, whatever was in it."""

import re
from email.headerregistry import Address
from email.utils import getaddresses

LONGEST_NAME = 50  # a longer word would be broken where the header is folded
_LOCAL = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,64}")
_DOMAIN = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")


def one_line(text: str, longest: int = 255) -> str:
    """Return a text without line breaks, control characters and what turns the direction of writing."""
    line = "".join(c for c in " ".join(text.split()) if c.isprintable())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def readable(text: str) -> str:
    """Return a text of several lines without what no mail can hold."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join("".join(c for c in line if c.isprintable() or c in "\t\u200d") for line in lines)


def address(mail: str, name: str = "") -> Address:
    """Return an address for a header; its domain is written as the network knows it (punycode).

    Raises ValueError where it is none. A local part that is not ASCII stays: its server must know SMTPUTF8.
    """
    local, _, domain = mail.strip().rpartition("@")
    try:
        known = domain.encode("idna").decode("ascii")
    except UnicodeError as e:
        raise ValueError(f"{one_line(mail)!r} is not an e-mail address") from e
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(known) or not local.isprintable():
        raise ValueError(f"{one_line(mail)!r} is not an e-mail address")
    return Address(one_line(name, LONGEST_NAME), local, known)


def named_address(text: str) -> Address:
    """Return `Helpdesk <helpdesk@example.com>`, or the address alone, as an address. Raises ValueError."""
    found = getaddresses([text])
    if len(found) != 1:
        raise ValueError(f"{one_line(text)!r} is not an e-mail address, but several")
    name, mail = found[0]
    return address(mail, name)

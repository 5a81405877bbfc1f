"""Pure: a ringing call in people's words. English is the source language; Russian is in `translations/ru`."""

import gettext

from daemon.values import Change

KIND = "call"


def N_(text: str) -> str:  # noqa: N802 - the customary mark for texts translated later
    """Mark a text for the translators; it is looked up in the reader's language when used."""
    return text


TITLE = N_("Incoming call")
CALLER = {
    (True, True): N_("%(name)s is calling: %(number)s"),
    (True, False): N_("%(name)s is calling"),
    (False, True): N_("%(number)s is calling"),
    (False, False): N_("A withheld number is calling"),
}
QUEUE = N_("queue %(queue)s")


def texts(change: Change, translations: gettext.NullTranslations) -> tuple[str, str]:
    """Return title and message of a ringing call: number and queue are details, the name is the actor."""
    translate = translations.gettext
    said = {detail.field: detail.new or "" for detail in change.details}
    name, number = change.actor.name, said.get("call_number", "")
    message = translate(CALLER[bool(name), bool(number)]) % {"name": name, "number": number}
    queue = said.get("call_queue", "")
    return translate(TITLE), f"{message} ({translate(QUEUE) % {'queue': queue}})" if queue else message

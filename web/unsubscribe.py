"""Stopping mails from a link in one of them, without signing in; mail programs do it by one click (RFC 8058).

A token that is nobody's is answered like any other: nobody learns here whose is whose. Asking for the page
changes nothing, because programs follow links to look for harm.
"""

import re

from flask import Blueprint, request

from storage import users
from storage.preferences import kept, of
from web.answers import log, page
from web.policy import Policy, allow
from web.viewer import viewer

RATE = "30 per minute"  # of an address; mail services send for many people from few
TOKEN = re.compile(r"[A-Za-z0-9_-]{16,32}")
bp = Blueprint("unsubscribe", __name__, url_prefix="/unsubscribe")


@bp.get("/<token>")
@allow(Policy.ANYBODY)
def ask(token: str) -> str:  # noqa: ARG001 - whose it is does not matter yet
    """Say what will happen, and offer it."""
    return page("unsubscribe.html", state="asked")


@bp.post("/<token>")
@allow(Policy.ANYBODY)
def decide(token: str) -> str:
    """Stop the mails; with `mails=on`, let them come again."""
    is_on = request.form.get("mails") == "on"
    if TOKEN.fullmatch(token):
        _switch(token, is_on=is_on)
    return page("unsubscribe.html", state="on" if is_on else "off")


def _switch(token: str, *, is_on: bool) -> None:
    with viewer().database.write() as session:
        user = users.by_mail_token(session, token)
        if user is None:
            return
        wishes = of(user.preferences)
        if is_on == (wishes.mail.mode != "off"):
            return  # it is so already: a digest stays a digest
        mail = wishes.mail.model_copy(update={"mode": "immediate" if is_on else "off"})
        user.preferences = kept(wishes.model_copy(update={"mail": mail}))
        log.info("mails_switched", user_id=user.id, is_on=is_on)

"""Redmine as the person who asks: read and changed in their name, never with the service key's."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from daemon.clients.errors import (
    ImpersonationRefused,
    NotFound,
    Rejected,
    SourceError,
    SourceRefused,
    SourceUnavailable,
)
from daemon.clients.redmine import RedmineClient
from web.answers import Problem
from web.language import gettext
from web.people import Person
from web.viewer import viewer

RETRY_S = 5
log = structlog.get_logger(__name__)


def acting_as(who: Person) -> RedmineClient:
    """Return Redmine as this person sees it. Raises Problem (503, 409)."""
    client = viewer().redmine
    if client is None:
        raise Problem(503, "redmine_not_configured", gettext("No Redmine is configured."))
    if not who.redmine_login:
        text = gettext("Your account is not linked to a Redmine user. Ask your administrator.")
        raise Problem(409, "not_linked", text)
    return client.acting_as(who.redmine_login)


@contextmanager
def translated() -> Iterator[None]:
    """Turn what Redmine raises into a Problem; Rejected is left to those who sent something.

    What is hidden from somebody and what does not exist are the same 404.
    """
    try:
        yield
    except NotFound as e:
        raise _hidden() from e
    except ImpersonationRefused as e:
        text = gettext("Redmine does not let you in: your account there is locked or was renamed.")
        raise Problem(403, "redmine_account", text) from e
    except SourceRefused as e:
        if e.status == 403:
            raise _hidden() from e
        log.warning("redmine_refused", error=str(e))
        raise _away() from e
    except SourceUnavailable as e:
        log.warning("redmine_unavailable", error=str(e))
        raise _away() from e
    except Rejected:
        raise
    except SourceError as e:
        log.warning("redmine_answered_wrongly", error=str(e))
        raise _away() from e


def _hidden() -> Problem:
    return Problem(404, "not_found", gettext("There is nothing at this address, or it is not yours."))


def _away() -> Problem:
    text = gettext("Redmine does not answer at the moment. Try again soon.")
    return Problem(503, "redmine_unavailable", text, retry_after_s=RETRY_S)

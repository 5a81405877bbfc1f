"""Who may call which route: one mechanism, and it fails closed.

Every view names its policy with `allow`. A route whose view names none answers nobody, so that one that was
forgotten shows at once, and as a refusal.
"""

from collections.abc import Callable
from enum import Enum
from typing import TypeVar

import structlog
from flask import Flask, abort, current_app, redirect, request
from werkzeug.wrappers import Response

from web.answers import Problem, wants_json
from web.language import gettext
from web.people import Person, someone
from web.redirects import login_address
from web.viewer import viewer

F = TypeVar("F", bound=Callable[..., object])
_POLICY, _FEATURE = "_helpdesk_policy", "_helpdesk_feature"
log = structlog.get_logger(__name__)


class Policy(Enum):
    """Who is let in."""

    ANYBODY = "anybody"
    SIGNED_IN = "signed in"
    QUALITY_CONTROL = "quality control"
    ADMIN = "admin"


# A view that is not ours: Flask's files.
FOREIGN = {"static": Policy.ANYBODY}


def allow(policy: Policy, *, feature: str = "") -> Callable[[F], F]:
    """Let these in. Where the feature of this name is switched off, there is nothing for anybody."""

    def mark(view: F) -> F:
        setattr(view, _POLICY, policy)
        setattr(view, _FEATURE, feature)
        return view

    return mark


def policy_of(app: Flask, endpoint: str) -> Policy | None:
    """Return who may call a route, None where nobody said."""
    found = getattr(app.view_functions[endpoint], _POLICY, None)
    return found if isinstance(found, Policy) else FOREIGN.get(endpoint)


def register(app: Flask) -> None:
    """Check every request before its view is called."""
    app.before_request(_check)


def _check() -> Response | None:
    endpoint = request.endpoint
    if endpoint is None:
        return None  # no such address, or not by this method: said by Flask
    policy = policy_of(current_app, endpoint)
    if policy is None:
        log.error("route_without_policy", endpoint=endpoint)
        abort(403)
    if _is_off(current_app, endpoint):
        abort(404)
    if policy is Policy.ANYBODY:
        return None
    who = someone()
    if who is None:
        return _ask_to_log_in()
    if not is_allowed(who, policy):
        raise Problem(403, "forbidden", gettext("You may not do this. Ask your administrator for the right."))
    return None


def is_allowed(who: Person, policy: Policy) -> bool:
    """Say whether somebody who signed in meets a policy."""
    if policy is Policy.ADMIN:
        return who.is_admin
    if policy is Policy.QUALITY_CONTROL:
        return who.can_access_quality_control
    return True


def is_offered(app: Flask, endpoint: str, who: Person) -> bool:
    """Say whether a page is switched on and open to this person."""
    policy = policy_of(app, endpoint)
    return policy is not None and not _is_off(app, endpoint) and is_allowed(who, policy)


def _is_off(app: Flask, endpoint: str) -> bool:
    feature = getattr(app.view_functions[endpoint], _FEATURE, "")
    return bool(feature) and not getattr(viewer().settings.features, feature)


def _ask_to_log_in() -> Response:
    if wants_json():
        raise Problem(401, "unauthorized", gettext("Log in first."))
    return redirect(login_address(), 303)

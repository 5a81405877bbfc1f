"""Who may ask for the figures, and the answer."""

import hmac
import ipaddress

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from web.answers import Problem
from web.language import gettext
from web.policy import Policy, allow
from web.security import WAS_FORWARDED
from web.settings import WebSettings
from web.viewer import viewer

bp = Blueprint("metrics", __name__)


@bp.get("/metrics")
@allow(Policy.ANYBODY)
def metrics() -> Response:
    """Answer whoever bears the token or comes from a network that is allowed."""
    settings = viewer().settings.web
    if not (_bears_token(settings) or _is_near(settings)):
        raise Problem(403, "forbidden", gettext("Metrics are for the monitoring system."))
    gathered = CollectorRegistry()
    for collector in viewer().figures:
        gathered.register(collector)
    return Response(generate_latest(gathered), content_type=CONTENT_TYPE_LATEST)


def _bears_token(settings: WebSettings) -> bool:
    token = settings.metrics_token()
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if token is None or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode(), token.get_secret_value().encode())


def _is_near(settings: WebSettings) -> bool:
    """Say whether the address is allowed. What a proxy brings that is not named is the whole world's."""
    if request.environ.get(WAS_FORWARDED):
        return False
    try:
        asker = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return False
    plain = getattr(asker, "ipv4_mapped", None) or asker
    return any(plain in ipaddress.ip_network(network) for network in settings.metrics_networks)

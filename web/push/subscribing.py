"""Browsers subscribe to push messages and unsubscribe."""

from typing import Annotated

from flask import Blueprint, Response, abort, jsonify, request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError
from sqlalchemy.orm import Session

from daemon.clients.push_endpoint import KeyKind, check_endpoint, decode_key
from storage import subscriptions
from storage.columns import utc_now
from storage.models import PushSubscription
from web.answers import Problem, log
from web.contract import Done, documented
from web.language import gettext
from web.people import LONGEST_AGENT, person, this_device
from web.policy import Policy, allow
from web.push.key import is_on, public_key
from web.push.shapes import PublicKey, Subscribed
from web.validation import Asked, body
from web.viewer import viewer

bp = Blueprint("push", __name__)


def _endpoint(url: str) -> str:
    push = viewer().settings.push
    try:
        return check_endpoint(url, push.services, push.extra_origins)
    except ValueError as e:
        raise PydanticCustomError("not_a_service", "is not an allowed push service") from e


def _key(kind: KeyKind) -> AfterValidator:
    def check(text: str) -> str:
        try:
            decode_key(text, kind)
        except ValueError as e:
            raise PydanticCustomError("not_a_key", "is not a key of a push subscription") from e
        return text

    return AfterValidator(check)


class Keys(BaseModel):
    """The browser's keys, in base64 or base64url."""

    model_config = ConfigDict(frozen=True)

    p256dh: Annotated[str, Field(max_length=255), _key("p256dh")]
    auth: Annotated[str, Field(max_length=64), _key("auth")]


class SubscribeBody(Asked):
    """A subscription as the browser gives it out.

    `renew`: the page does it by itself, so a device that its owner removed stays away. `former` is the
    endpoint that this one takes the place of.
    """

    endpoint: Annotated[str, Field(max_length=2048), AfterValidator(_endpoint)]
    keys: Keys
    application_server_key: str = Field(default="", max_length=128)
    renew: bool = False
    former: str = Field(default="", max_length=2048)


class UnsubscribeBody(Asked):
    """Which browser is meant."""

    endpoint: str = Field(max_length=2048)


@bp.get("/api/push/key")
@allow(Policy.SIGNED_IN)
@documented(PublicKey, 401, 503, tags=["push"])  # type: ignore[untyped-decorator]
def key() -> Response:
    """Return the public key that browsers subscribe with."""
    with viewer().database.read() as reading:
        return jsonify({"public_key": public_key(reading)})


@bp.post("/tasks/api/push-subscribe")
@allow(Policy.SIGNED_IN)
@documented(  # type: ignore[untyped-decorator]
    Subscribed, 400, 401, 409, 422, 503, status=(200, 201), json=SubscribeBody, tags=["push"]
)
def subscribe() -> tuple[Response, int]:
    """Have this browser told of the asker's news while no page is open."""
    if not is_on():
        raise Problem(503, "push_off", gettext("Push messages are switched off here."))
    given = body(SubscribeBody)
    with viewer().database.write() as writing:
        row, is_new = _store(writing, given)
        row_id = row.id
    message = gettext("You are subscribed to push notifications")
    answer = jsonify({"success": True, "message": message, "id": row_id, "is_new": is_new})
    return answer, 201 if is_new else 200


@bp.delete("/tasks/api/push-subscribe")
@allow(Policy.SIGNED_IN)
@documented(Done, 400, 401, 404, 422, 503, json=UnsubscribeBody, tags=["push"])  # type: ignore[untyped-decorator]
def unsubscribe() -> Response:
    """End that for a browser; one that is not the asker's does not exist."""
    given = body(UnsubscribeBody)
    with viewer().database.write() as writing:
        row = subscriptions.by_endpoint(writing, given.endpoint)
        if row is None or row.user_id != person().id:
            abort(404)
        subscriptions.forget(writing, [row.id])
    log.info("push_unsubscribed", user_id=person().id)
    return jsonify({"success": True, "message": gettext("You are unsubscribed from push notifications")})


def _store(writing: Session, given: SubscribeBody) -> tuple[PushSubscription, bool]:
    key = _key_of(writing, given)
    known = subscriptions.by_endpoint(writing, given.endpoint)
    if known is not None and known.removed_at is not None and given.renew and known.user_id == person().id:
        raise Problem(409, "removed", gettext("This device was removed on your profile."))
    _forget_former(writing, given)
    if known is not None and known.user_id != person().id:
        _require_same_keys(known, given)
        # Whoever holds the browser now gets what it is sent, and never what was due to the one before.
        subscriptions.forget(writing, [known.id], "the browser belongs to somebody else now")
        known = None
    if known is None:
        log.info("push_subscribed", user_id=person().id)
        return subscriptions.add(writing, _row(given, key)), True
    _refresh(known, given, key)
    return known, False


def _key_of(writing: Session, given: SubscribeBody) -> str:
    """Return the key that a browser subscribed for: who does not say has got the present one from us."""
    present = public_key(writing)
    if given.application_server_key and present and given.application_server_key != present:
        raise Problem(409, "other_key", gettext("The server's key is another now. Load the page again."))
    return given.application_server_key or present


def _require_same_keys(known: PushSubscription, given: SubscribeBody) -> None:
    """See that the asker holds the browser itself and not only its address."""
    is_same = decode_key(given.keys.p256dh, "p256dh") == decode_key(known.p256dh, "p256dh")
    if not is_same or decode_key(given.keys.auth, "auth") != decode_key(known.auth, "auth"):
        raise Problem(409, "taken", gettext("This subscription belongs to somebody else."))


def _forget_former(writing: Session, given: SubscribeBody) -> None:
    former = subscriptions.by_endpoint(writing, given.former) if given.former else None
    if former is not None and former.user_id == person().id and given.former != given.endpoint:
        subscriptions.forget(writing, [former.id])


def _row(given: SubscribeBody, key: str) -> PushSubscription:
    return PushSubscription(
        user_id=person().id,
        endpoint=given.endpoint,
        p256dh=given.keys.p256dh,
        auth=given.keys.auth,
        application_server_key=key,
        user_agent=request.user_agent.string[:LONGEST_AGENT],
        sign_in=this_device(),
    )


def _refresh(known: PushSubscription, given: SubscribeBody, key: str) -> None:
    known.p256dh, known.auth = given.keys.p256dh, given.keys.auth
    # An endpoint told of again without its key is still of the one that it was made for.
    known.application_server_key = given.application_server_key or known.application_server_key or key
    known.user_agent = request.user_agent.string[:LONGEST_AGENT]
    known.sign_in, known.seen_at, known.removed_at = this_device(), utc_now(), None

"""Who makes a request: API key, Basic, `?key=`, and an admin acting as somebody else.

Source: Redmine 5.0.4, app/controllers/application_controller.rb (`find_current_user`), measured.
"""

import base64
import binascii

from daemon.demo.exchange import Request, StopError
from daemon.demo.model import User
from daemon.demo.store import Store


def acting_user(store: Store, request: Request) -> User:
    """The user the request acts as; the anonymous one for a wrong key, wrong password or REST switched off.

    Raises StopError: 412 for a Switch-User that cannot be, 401 and 403 for passwords that do not suffice.
    """
    if not store.settings.rest_api_enabled:
        return store.anonymous
    user = _by_key(store, request) if _key(request) else _by_basic(store, request)
    other = request.headers.get("x-redmine-switch-user", "").strip()
    if user is not None and user.admin and other:
        user = store.user_by_login(other)
        if user is None or not user.active:
            raise StopError(412)
    return user or store.anonymous


def _key(request: Request) -> str:
    return request.query.get("key", "").strip() or request.headers.get("x-redmine-api-key", "").strip()


def _by_key(store: Store, request: Request) -> User | None:
    return _owner(store, _key(request))


def _owner(store: Store, key: str) -> User | None:
    return next((u for u in store.users.values() if u.api_key and u.api_key == key and u.active), None)


def _by_basic(store: Store, request: Request) -> User | None:
    given = _basic_pair(request)
    if given is None:
        return None
    login, password = given
    user = store.user_by_login(login.strip()) if login.strip() and password else None
    if user is None or not user.active or user.password != password:
        user = _owner(store, login)
    elif user.two_factor:
        raise StopError(401)
    else:
        user.last_login_on = store.now()
    if user is not None and user.must_change_password:
        raise StopError(403)
    return user


def _basic_pair(request: Request) -> tuple[str, str] | None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        login, _, password = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return login, password

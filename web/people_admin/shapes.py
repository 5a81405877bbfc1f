"""What the viewer answers administrators about users, as models for the document of the API."""

from typing import Literal

from pydantic import BaseModel

from web.contract import Pagination
from web.users.shapes import Profile


class UserShown(Profile):
    """A user as administrators see them."""

    is_active: bool
    created_at: str
    last_login_at: str | None


class UserList(BaseModel):
    """One page of the users, by name."""

    users: list[UserShown]
    pagination: Pagination


class UserSaved(BaseModel):
    """The user as they are now."""

    success: Literal[True]
    message: str
    user: UserShown


class PasswordReset(BaseModel):
    """The new password: this is the only time it is shown."""

    success: Literal[True]
    message: str
    password: str

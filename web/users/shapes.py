"""What the viewer answers about people, as models for the document of the API."""

from typing import Literal

from pydantic import BaseModel, Field

from web.users.telling import PreferencesShown


class Profile(BaseModel):
    """Everything a person is shown of their own account; dates are YYYY-MM-DD."""

    id: int
    username: str
    email: str
    full_name: str
    department: str
    position: str
    phone: str
    vpn_end_date: str | None = Field(examples=["2024-12-31"])
    is_redmine_user: bool
    id_redmine_user: int | None
    can_access_quality_control: bool
    browser_notifications_enabled: bool
    notifications_widget_enabled: bool
    redmine_login: str
    is_admin: bool
    language: str
    theme: str
    time_zone: str
    can_set_vpn_date: bool
    has_password: bool
    from_erp: list[str] = Field(description="Fields that come from the ERP: they cannot be changed here.")
    is_erp_user: bool


class OwnProfile(Profile):
    """What only the person is shown besides: how they want to be told."""

    preferences: PreferencesShown


class ProfileSaved(BaseModel):
    """The profile as it is after the change."""

    success: Literal[True]
    message: str
    user: OwnProfile


class VpnSaved(BaseModel):
    """Whose VPN access ends when; null: no end is known."""

    success: Literal[True]
    message: str
    user_id: int
    vpn_end_date: str | None


class Device(BaseModel):
    """Where somebody is signed in; `key` names it in addresses, `is_this` is the one that asks."""

    key: str
    name: str
    address: str
    created_at: str
    seen_at: str
    is_this: bool


class Devices(BaseModel):
    """Every place where the asker is signed in, the one used last first."""

    devices: list[Device]


class Ended(BaseModel):
    """How many devices were signed out."""

    success: Literal[True]
    message: str
    ended: int


class PasswordChanged(BaseModel):
    """A new session has begun; `csrf_token` is the one for its writes."""

    success: Literal[True]
    message: str
    csrf_token: str

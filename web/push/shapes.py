"""What the viewer answers about push, as models for the document of the API."""

from typing import Literal

from pydantic import BaseModel, Field


class PublicKey(BaseModel):
    """The application server key: an uncompressed point as base64url; "" where none is there yet."""

    public_key: str


class Subscribed(BaseModel):
    """The subscription that now reaches this browser; `is_new`: it was not known before."""

    success: Literal[True]
    message: str
    id: int
    is_new: bool


class PushDevice(BaseModel):
    """A browser that is reached by push. Times are null where that never happened."""

    id: int
    name: str
    service: str = Field(examples=["fcm.googleapis.com"])
    is_this: bool
    created_at: str
    seen_at: str
    last_success_at: str | None
    last_error_at: str | None
    last_error: str
    is_failing: bool = Field(description="Whether its last message did not get through.")


class PushDevices(BaseModel):
    """Every browser that reaches the asker."""

    devices: list[PushDevice]


class TestSent(BaseModel):
    """A message was put into the outbox; ask for `delivery` what became of it."""

    success: Literal[True]
    message: str
    delivery: int


class TestState(BaseModel):
    """What became of a test. `received_at`: the service worker said that it has shown it."""

    delivery: int
    state: Literal["due", "claimed", "sent", "failed", "skipped", "expired"]
    attempts: int
    error: str
    received_at: str | None

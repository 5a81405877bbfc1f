"""What the inbox answers, as models for the document of the API."""

from typing import Literal

from pydantic import BaseModel, Field

from web.contract import Item, Source


class GroupAnswer(BaseModel):
    """All notifications of one thread that the filter lets through; `item` is the newest."""

    thread: str = Field(examples=["issue:123"])
    count: int
    unread: int
    starred: int
    reasons: list[str]
    item: Item


class GroupsAnswer(BaseModel):
    """A part of the inbox; `following` goes into `before` to get the next, null at the end."""

    groups: list[GroupAnswer]
    following: str | None
    unread: int
    last_id: int
    source: Source | None


class ThreadAnswer(BaseModel):
    """A part of one thread, latest first."""

    items: list[Item]
    following: str | None


class ActDone(BaseModel):
    """What an act came to; `undo` is the body that takes it back, null where nothing can."""

    success: Literal[True]
    message: str
    changed: int
    unread: int
    undo: dict[str, object] | None


class Way(BaseModel):
    """How one channel did; `device` and times are of its deliveries, `why_not` says why there is none."""

    channel: str
    why_not: str


class DeliveryShown(BaseModel):
    """One delivery: `state` is due, claimed, sent, failed, skipped or expired; `text` says it in words."""

    channel: str
    device: str
    state: str
    text: str
    attempts: int
    at: str | None = Field(description="When it was sent, given up or left out.")
    next_attempt_at: str | None
    received_at: str | None = Field(description="When the device itself said that it shows it.")
    error: str


class DeliveriesAnswer(BaseModel):
    """How a notification reached its reader, or why it did not."""

    deliveries: list[DeliveryShown]
    ways: list[Way]


class MuteAnswer(BaseModel):
    """Whether the issue is muted now."""

    success: Literal[True]
    message: str
    task_id: int
    is_muted: bool

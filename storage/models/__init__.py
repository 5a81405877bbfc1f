"""The tables. Names are binding for the whole project; the design notes in README.md say what each holds."""

from storage.models.delivery import ChannelState, Delivery, PushSubscription
from storage.models.hosts import Host, HostCheck
from storage.models.inbox import LiveEvent, Notification
from storage.models.jobs import JobRun, JobState
from storage.models.people import IssueMute, SignIn, User
from storage.models.posts import Post, PostRead
from storage.models.redmine import (
    Group,
    GroupMember,
    Issue,
    JournalSeen,
    Priority,
    Status,
    TaskRight,
    Viewing,
)

__all__ = [
    "ChannelState",
    "Delivery",
    "Group",
    "GroupMember",
    "Host",
    "HostCheck",
    "Issue",
    "IssueMute",
    "JobRun",
    "JobState",
    "JournalSeen",
    "LiveEvent",
    "Notification",
    "Post",
    "PostRead",
    "Priority",
    "PushSubscription",
    "SignIn",
    "Status",
    "TaskRight",
    "User",
    "Viewing",
]

"""The tables. Names are binding for the whole project; the design notes in README.md say what each holds."""

from storage.models.audit import AuditEntry
from storage.models.delivery import ChannelState, Delivery, PushSubscription
from storage.models.erp import ErpPerson
from storage.models.hosts import Host, HostAcknowledgement, HostCheck, HostMaintenance, HostOutage
from storage.models.inbox import LiveEvent, Notification, NotificationWords
from storage.models.jobs import JobGap, JobRun, JobState
from storage.models.people import IssueMute, SignIn, User
from storage.models.posts import Post, PostRead
from storage.models.redmine import (
    Group,
    GroupMember,
    Issue,
    JournalSeen,
    Priority,
    RedminePhone,
    Status,
    TaskRight,
    Viewing,
)

__all__ = [
    "AuditEntry",
    "ChannelState",
    "Delivery",
    "ErpPerson",
    "Group",
    "GroupMember",
    "Host",
    "HostAcknowledgement",
    "HostCheck",
    "HostMaintenance",
    "HostOutage",
    "Issue",
    "IssueMute",
    "JobGap",
    "JobRun",
    "JobState",
    "JournalSeen",
    "LiveEvent",
    "Notification",
    "NotificationWords",
    "Post",
    "PostRead",
    "Priority",
    "PushSubscription",
    "RedminePhone",
    "SignIn",
    "Status",
    "TaskRight",
    "User",
    "Viewing",
]

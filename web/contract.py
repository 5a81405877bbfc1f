"""What the viewer answers to programs, as models: the OpenAPI document is made of them.

It is at /api/openapi.json. The models that check requests stand beside their views.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from flask import current_app
from pydantic import BaseModel, Field
from spectree import Response, SpecTree
from spectree.plugins.flask_plugin import FlaskPlugin

F = TypeVar("F", bound=Callable[..., Any])


class Detail(BaseModel):
    """One field that changed, with names instead of ids; `label` is a custom field's name."""

    field: str
    label: str
    old: str | None
    new: str | None


class Named(BaseModel):
    """A person or a project of the source."""

    id: int | None
    name: str


class Item(BaseModel):
    """A notification. `masked`: the reader's rights are being checked again, the text is withheld."""

    id: int
    issue_id: int | None
    old_status: str | None
    new_status: str | None
    old_subj: str
    date_created: str = Field(examples=["2024-01-16T14:20:00Z"])
    is_read: bool
    type: str = Field(examples=["status_change"])
    title: str
    message: str
    created_at: str
    subject: str
    journal_id: int | None
    reasons: list[str]
    actor: Named
    project: Named | None
    details: list[Detail]
    notes: str
    is_private_note: bool
    url: str
    page: str = Field(description="Our page of what it is about, where that is no issue.")
    masked: bool
    thread: str = Field(description="What it is about, shared by all that are.", examples=["issue:123"])
    surfaced_at: str = Field(description="When it came, or came back: the order of the inbox.")
    listed_at: str = Field(description="The moment under whose day it is listed.")
    alerts: list[Literal["popup", "sound"]] = Field(description="How an open page tells of it.")
    is_urgent: bool
    is_starred: bool
    is_archived: bool
    snoozed_until: str | None
    html: str = Field(default="", description="Only where html=1 was asked for.")


class Pagination(BaseModel):
    """Which page this is."""

    page: int
    per_page: int
    total: int
    pages: int


class Source(BaseModel):
    """How the reading of Redmine does."""

    state: Literal["ok", "down", "starting", "unknown"]
    since: str | None
    text: str


class InboxAnswer(BaseModel):
    """One page of the inbox; `last_id` is the cursor for the live connection."""

    notifications: list[Item]
    pagination: Pagination
    unread: int
    last_id: int
    source: Source | None


class Marked(BaseModel):
    """What came of marking as read."""

    success: Literal[True]
    message: str
    unread: int


_DESCRIBED = "_helpdesk_described"


class Refusal(BaseModel):
    """Why a request was not granted; `errors` by field with 422, `retry_after_s` with 429 and 503."""

    success: Literal[False]
    code: str
    message: str
    errors: dict[str, list[str]] = {}
    retry_after_s: int | None = None


class Plugin(FlaskPlugin):
    """Finds every route. spectree's own leaves out what lies beside its pages, and ours lie under /api/."""

    def find_routes(self) -> Any:
        """Return the rules; those without `documented` are left out later."""
        return list(current_app.url_map.iter_rules())

    def parse_func(self, route: Any) -> Any:
        """Return methods and views, as `documented_file` describes them where it does."""
        found = super().parse_func(route)
        return [(method, getattr(view, _DESCRIBED, view)) for method, view in found]

    def register_route(self, app: Any) -> None:
        """Add nothing: web/docs.py serves the document."""


spec = SpecTree(
    "flask",
    backend=Plugin,
    title="helpdesk",
    version="2.0.0",
    mode="strict",
    annotations=False,
    validation_error_model=Refusal,
)


class Account(BaseModel):
    """Who is signed in."""

    id: int
    username: str
    email: str
    full_name: str
    is_admin: bool
    can_access_quality_control: bool


class SignedIn(BaseModel):
    """The answer to a log-in; `csrf_token` goes into X-CSRFToken of every write."""

    success: Literal[True]
    user: Account
    redirect_url: str
    csrf_token: str
    warning: str | None = Field(default=None, description="Only where there is something to know.")


class Done(BaseModel):
    """The answer where there is nothing more to say."""

    success: Literal[True]
    message: str


class Preferences(BaseModel):
    """What was set."""

    success: Literal[True]
    language: str | None = None
    theme: str | None = None
    time_zone: str | None = None


class File(BaseModel):
    """The bytes of a file."""


class Health(BaseModel):
    """Whether the process works."""

    status: str


class Lack(BaseModel):
    """One thing that keeps the process from serving."""

    check: str = Field(examples=["database", "migrations", "tail"])
    reason: str


class Readiness(BaseModel):
    """Whether people may be sent to this process."""

    status: Literal["ready", "not ready"]
    reasons: list[Lack]


def documented(
    answer: type[BaseModel], *refusals: int, status: int | tuple[int, ...] = 200, **request: Any
) -> Any:
    """Put a view into the document: its answer, the refusals it knows, and `query` or `json` it takes."""
    statuses = status if isinstance(status, tuple) else (status,)
    models: dict[str, Any] = {f"HTTP_{refusal}": Refusal for refusal in refusals}
    response = Response(**models, **{f"HTTP_{number}": answer for number in statuses})
    return spec.validate(resp=response, skip_validation=True, **request)


def documented_file(*refusals: int, **request: Any) -> Callable[[F], F]:
    """Put a view that sends a file into the document; unwrapped, as spectree would read it whole."""

    def mark(view: F) -> F:
        setattr(view, _DESCRIBED, documented(File, *refusals, **request)(view))
        return view

    return mark

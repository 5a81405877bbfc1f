"""What the viewer answers about posts, as models for the document of the API."""

from typing import Literal

from pydantic import BaseModel, Field

from web.contract import Pagination


class Author(BaseModel):
    """Who wrote a post."""

    id: int
    username: str
    full_name: str


class PostShown(BaseModel):
    """A post; `content` as it was written (CommonMark), `html` as it is shown."""

    id: int
    title: str
    content: str
    html: str
    date_posted: str = Field(examples=["2024-01-15T10:00:00Z"])
    updated_at: str | None
    author: Author | None
    is_read: bool


class PostList(BaseModel):
    """One page of posts, newest first; `unread` counts all there are."""

    posts: list[PostShown]
    pagination: Pagination
    unread: int


class PostSaved(BaseModel):
    """The post as it is now."""

    success: Literal[True]
    message: str
    post: PostShown

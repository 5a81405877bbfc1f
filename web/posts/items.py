"""A post as the API and the templates get it."""

from typing import Any

from storage.models import Post, User
from storage.posts import Shown
from web.answers import iso
from web.markup import markdown_html


def item_of(shown: Shown) -> dict[str, Any]:
    """Return everything shown of a post."""
    post = shown.post
    return {
        "id": post.id,
        "title": post.title,
        "content": post.content,
        "html": markdown_html(post.content),
        "date_posted": iso(post.date_posted),
        "updated_at": iso(post.updated_at) if post.updated_at else None,
        "author": author_of(shown.author),
        "is_read": shown.is_read,
    }


def news_of(post: Post, author: str) -> dict[str, Any]:
    """Return what open pages are told of a new post."""
    return {"id": post.id, "title": post.title, "author": author, "date_posted": iso(post.date_posted)}


def author_of(author: User | None) -> dict[str, Any] | None:
    """Return who wrote it, None where the account is gone."""
    if author is None:
        return None
    return {"id": author.id, "username": author.username, "full_name": author.full_name}

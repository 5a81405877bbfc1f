"""Announcements of the company: read by all, written by administrators."""

from web.posts.reading import bp
from web.posts.writing import change, create, delete

__all__ = ["bp", "change", "create", "delete"]

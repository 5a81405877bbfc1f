"""What the endpoints of all kinds of rows share: paged lists, 201 with an address, missing fields."""

from collections.abc import Callable
from typing import TypeVar

from daemon.demo import texts
from daemon.demo.exchange import Answer, Call
from daemon.demo.model import Json
from daemon.demo.urls import base_url

Row = TypeVar("Row")


def paged(call: Call, name: str, rows: list[Row], shape: Callable[[Row], Json]) -> Answer:
    offset, limit = call.page()
    shown = [shape(row) for row in rows[offset : offset + limit]]
    return Answer.json({name: shown, "total_count": len(rows), "offset": offset, "limit": limit})


def created(call: Call, kind: str, path: str, row: Json) -> Answer:
    """201 with the new row and where it is now."""
    here = "" if kind == "issue_category" else base_url(call.request)  # of these Redmine gives the path
    location = f"{here}/{path}/{row['id']}"
    return Answer.json({kind: row}, 201, ("Location", location))


def blank_fields(call: Call, given: Json, *fields: str) -> list[str]:
    """A message for each field that is missing or empty."""
    language = call.viewer.user.language
    return [texts.problem(language, f, "blank") for f in fields if not str(given.get(f) or "").strip()]

"""The board: its page and its JSON."""

from typing import Any

from flask import Blueprint, Response, jsonify
from pydantic import BaseModel

from web.answers import Problem, wants_json
from web.answers import page as render_page
from web.board.columns import Board, load, load_project
from web.contract import documented
from web.people import Person, person
from web.policy import Policy, allow
from web.tasks.answers import ListedTask
from web.tasks.lists import require_account, task_json
from web.tasks.query import Chosen
from web.validation import Asked, query

bp = Blueprint("board", __name__)
PATH = "/tasks/board"


class BoardQuery(Asked):
    """Whether only the tasks of one project are wanted, and of it those of everybody."""

    project_id: Chosen = None
    everybody: bool = False


class ColumnAnswer(BaseModel):
    """One status and its tasks; `limit` is how many there should be at most."""

    id: int
    name: str
    color: str
    is_closed: bool
    limit: int | None
    tasks: list[ListedTask]


class BoardAnswer(BaseModel):
    """Tasks by status: the asker's, or a project's. Of the closed ones only those of the last two weeks."""

    columns: list[ColumnAnswer]
    left_out: int
    unconfirmed: int


@bp.get(PATH)
@allow(Policy.SIGNED_IN, feature="kanban_enabled")
@documented(BoardAnswer, 401, 404, 409, 422, 503, query=BoardQuery, tags=["tasks"])  # type: ignore[untyped-decorator]
def board_page() -> Response | str:
    """Return or show the asker's tasks, or a project's, by status."""
    who, asked = person(), query(BoardQuery)
    if wants_json():
        require_account(who)
        return jsonify(_as_json(_load(who, asked)))
    try:
        require_account(who)
    except Problem as problem:
        return render_page("board.html", why_not=problem.text, board=None)
    return render_page("board.html", why_not="", board=_load(who, asked))


def _load(who: Person, asked: BoardQuery) -> Board:
    if asked.everybody and asked.project_id is not None:
        return load_project(who, asked.project_id)
    return load(who, asked.project_id)


def _as_json(board: Board) -> dict[str, Any]:
    columns = [
        {
            "id": column.id,
            "name": column.name,
            "color": column.color,
            "is_closed": column.is_closed,
            "limit": column.limit,
            "tasks": [task_json(card) for card in column.cards],
        }
        for column in board.columns
    ]
    return {"columns": columns, "left_out": board.left_out, "unconfirmed": board.checked.unconfirmed}

"""A few pages for people, so that links into the demo Redmine lead somewhere. Nobody can sign in there."""

from collections.abc import Iterable
from html import escape

from daemon.demo.exchange import HTML_TYPE, Answer, Call
from daemon.demo.files import to_login
from daemon.demo.model import Issue
from daemon.demo.render import moment

_STYLE = "body{font:16px/1.5 sans-serif;max-width:46em;margin:2em auto}pre{white-space:pre-wrap}"


def _page(title: str, body: Iterable[str]) -> Answer:
    head = f"<!DOCTYPE html><html lang=ru><meta charset=utf-8><title>{escape(title)}</title>"
    view = "<meta name=viewport content='width=device-width'>"
    text = f"{head}{view}<style>{_STYLE}</style><h1>{escape(title)}</h1>{''.join(body)}"
    return Answer(200, text.encode(), HTML_TYPE)


def home(call: Call) -> Answer:
    """GET /: the issues everybody may see, the latest first."""
    seen = [i for i in call.store.issues.values() if call.viewer.sees(i)]
    seen.sort(key=lambda i: i.updated_on, reverse=True)
    rows = (f"<li><a href='/issues/{i.id}'>#{i.id} {escape(i.subject or '')}</a>" for i in seen[:50])
    return _page("Demo Redmine", ["<p>Выдуманные задачи. Made-up issues.<ul>", *rows, "</ul>"])


def login(_: Call) -> Answer:
    """GET /login: there is no form; the demo's people have keys only."""
    return _page(
        "Demo Redmine",
        ["<p>Это демонстрация: войти здесь нельзя. <p>This is a demo: there is no signing in here."],
    )


def issue(call: Call, issue_id: str) -> Answer:
    """GET /issues/ID: 404, or the log-in page for what the anonymous must not see."""
    found = call.store.issues.get(int(issue_id))
    if found is None:
        return Answer.page(404)
    if not call.viewer.sees(found):
        return Answer.page(403) if call.viewer.user.logged else to_login(call)
    return _page(f"#{found.id} {found.subject}", [*_description(call, found), *_notes(call, found)])


def _description(call: Call, found: Issue) -> Iterable[str]:
    store = call.store
    assignee = store.principal(found.assigned_to_id)
    facts = [
        store.projects[found.project_id or 0].name,
        store.statuses[found.status_id or 0].name,
        store.priorities[found.priority_id or 0].name,
        assignee.name if assignee else "—",
    ]
    yield f"<p>{escape(' · '.join(facts))}"
    yield f"<pre>{escape(found.description or '')}</pre>"


def _notes(call: Call, found: Issue) -> Iterable[str]:
    project = call.store.projects[found.project_id or 0]
    for entry in call.store.issue_journals(found.id):
        author = call.store.principal(entry.user_id)
        if entry.notes and call.viewer.sees_notes_of(entry, project):
            yield f"<h3>{escape(author.name if author else '')}, {moment(entry.created_on)}</h3>"
            yield f"<pre>{escape(entry.notes)}</pre>"

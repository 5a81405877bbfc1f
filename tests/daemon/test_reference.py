"""Statuses, priorities and groups are stored by the first run and kept fresh by the reconcile job."""

from storage import reference
from tests.daemon.conftest import Engine


def groups(engine: Engine, login: str) -> list[int]:
    """Return the stored groups of somebody."""
    with engine.database.read() as session:
        return reference.groups_of(session, engine.server.id_of("user", login))


def test_the_first_run_stores_what_redmines_ids_stand_for(engine: Engine) -> None:
    server = engine.server
    with engine.database.read() as session:
        statuses, priorities = reference.statuses(session), reference.priorities(session)
    listed = server.session().get(f"{server.url}/issue_statuses.json").json()["issue_statuses"]
    assert [(s.id, s.name, s.is_closed) for s in statuses] == [
        (row["id"], row["name"], row["is_closed"]) for row in listed
    ]
    assert [p.name for p in priorities] == ["Low", "Normal", "High", "Urgent", "Immediate"]
    assert [p.name for p in priorities if p.is_default] == ["Normal"]


def test_members_of_groups_are_followed(engine: Engine) -> None:
    server = engine.server
    team, fred = server.id_of("group", "Support team"), server.id_of("user", "fred")
    assert groups(engine, "fred") == groups(engine, "gina") == [team]
    left = server.session().delete(f"{server.url}/groups/{team}/users/{fred}.json")
    assert left.status_code in {200, 204}
    joined = server.session().post(
        f"{server.url}/groups/{team}/users.json", json={"user_id": server.id_of("user", "carl")}
    )
    assert joined.status_code in {200, 204}
    engine.reconcile()
    assert (groups(engine, "fred"), groups(engine, "carl")) == ([], [team])

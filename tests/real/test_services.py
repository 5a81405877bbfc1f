"""The real Redmine of the tests holds what world.json says, and a reset really resets it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from tests.redmines import RealRedmine
from tests.services.layout import TIME_ZONE
from tests.services.run import ServiceRun

SALARY = "Salary band"
ISO = "%Y-%m-%dT%H:%M:%SZ"


def read(redmine: RealRedmine, path: str, by: str = "admin", **params: str) -> requests.Response:
    with redmine.session(by) as session:
        return session.get(redmine.url + path, params=params)


def rows(redmine: RealRedmine, path: str, key: str) -> list[dict[str, Any]]:
    return list(read(redmine, path, limit="100").json()[key])


def permissions(redmine: RealRedmine, role: str) -> set[str]:
    return set(read(redmine, f"/roles/{redmine.id_of('role', role)}.json").json()["role"]["permissions"])


def test_everybody_is_there_with_key_password_and_language(
    real_redmine: RealRedmine, world: dict[str, Any]
) -> None:
    for user in world["users"]:
        stored = real_redmine.sql("select language, status from users where login = %s", user["login"])
        assert stored == [(user["language"], 3 if user.get("locked") else 1)]
        if not user.get("locked"):
            account = read(real_redmine, "/users/current.json", by=user["login"]).json()["user"]
            assert (account["firstname"], account["lastname"]) == (user["firstname"], user["lastname"])
            assert "mail" not in account
    answer = requests.get(f"{real_redmine.url}/users/current.json", auth=("bob", "password-bob"), timeout=30)
    assert answer.json()["user"]["api_key"] == real_redmine.key("bob")


def test_the_admin_is_an_admin(real_redmine: RealRedmine) -> None:
    assert read(real_redmine, "/users/current.json").json()["user"]["admin"] is True


def test_memberships_are_those_of_the_world(real_redmine: RealRedmine, world: dict[str, Any]) -> None:
    found = set()
    for project in world["projects"]:
        place = project["identifier"]
        for row in rows(real_redmine, f"/projects/{place}/memberships.json", "memberships"):
            who = (row.get("group") or row["user"])["id"]
            own_roles = [role["name"] for role in row["roles"] if not role.get("inherited")]
            found |= {(place, who, role) for role in own_roles}
    groups = {group["name"] for group in world["groups"]}
    expected = {
        (m["project"], real_redmine.id_of("group" if m["who"] in groups else "user", m["who"]), role)
        for m in world["memberships"]
        for role in m["roles"]
    }
    assert found == expected


def test_roles_are_their_base_with_what_the_world_adds(
    real_redmine: RealRedmine, world: dict[str, Any]
) -> None:
    visibility = dict(real_redmine.sql("select name, issues_visibility from roles"))
    for role in world["roles"]:
        expected = permissions(real_redmine, role["base"]) | set(role.get("add", []))
        expected -= set(role.get("remove", []))
        assert permissions(real_redmine, role["name"]) == expected
        assert visibility[role["name"]] == role.get("issues_visibility", visibility[role["base"]])


def test_new_roles_have_the_workflow_of_their_base(real_redmine: RealRedmine) -> None:
    counted = "select r.name, count(*) from workflows w join roles r on r.id = w.role_id group by 1"
    counts = dict(real_redmine.sql(counted))
    assert counts["Confidant"] == counts["Own only"] == counts["All issues"] == counts["Developer"] > 0


def test_a_private_field_shows_only_to_its_roles(real_redmine: RealRedmine) -> None:
    field = {"id": real_redmine.id_of("custom_field", SALARY), "value": "B7"}
    issue = real_redmine.create_issue("ann", custom_fields=[field])

    def sees(login: str) -> bool:
        return SALARY in {shown["name"] for shown in real_redmine.issue(issue, by=login)["custom_fields"]}

    assert {login: sees(login) for login in ("ann", "hugo", "bob", "carl")} == {
        "ann": True,
        "hugo": True,
        "bob": False,
        "carl": False,
    }


def test_own_only_sees_own_issues_and_the_private_project_stays_private(real_redmine: RealRedmine) -> None:
    issue = real_redmine.create_issue("ann")
    secret = real_redmine.create_issue("ann", project="closed-circle")
    assert read(real_redmine, f"/issues/{issue}.json", by="dora").status_code == 403
    assert read(real_redmine, f"/issues/{issue}.json", by="eve").status_code == 200
    assert read(real_redmine, f"/issues/{secret}.json", by="eve").status_code == 403
    assert read(real_redmine, f"/issues/{secret}.json", by="fred").status_code == 200


@pytest.mark.parametrize(("login", "status"), [("bob", 200), ("luke", 412)])
def test_a_locked_user_cannot_be_acted_for(real_redmine: RealRedmine, login: str, status: int) -> None:
    with real_redmine.session() as admin:
        answer = admin.get(f"{real_redmine.url}/issues.json", headers={"X-Redmine-Switch-User": login})
    assert answer.status_code == status


def test_a_group_can_be_assigned(real_redmine: RealRedmine) -> None:
    issue = real_redmine.create_issue("ann")
    group = real_redmine.id_of("group", "Support team")
    assert real_redmine.update_issue(issue, "bob", assigned_to_id=group) == 204
    assert real_redmine.issue(issue)["assigned_to"]["id"] == group


def test_a_change_through_the_web_form_makes_a_journal(real_redmine: RealRedmine) -> None:
    issue = real_redmine.create_issue("ann")
    with real_redmine.log_in_web("bob") as session:
        assert real_redmine.update_issue_web(session, issue, notes="Из формы") == 302
    (journal,) = real_redmine.issue(issue)["journals"]
    assert (journal["notes"], journal["user"]["name"]) == ("Из формы", "Боб Разработчиков")


def test_times_come_out_as_utc_though_redmine_keeps_local_time(real_redmine: RealRedmine) -> None:
    issue = real_redmine.create_issue("ann")
    ((local,),) = real_redmine.sql("select updated_on from issues where id = %s", issue)
    utc = local.replace(tzinfo=ZoneInfo(TIME_ZONE)).astimezone(UTC)
    assert utc.replace(tzinfo=None) != local
    assert real_redmine.issue(issue)["updated_on"] == utc.strftime(ISO)


def test_an_attachment_can_be_added_and_read(real_redmine: RealRedmine) -> None:
    with real_redmine.session("ann") as ann:
        upload = ann.post(
            f"{real_redmine.url}/uploads.json?filename=письмо.txt",
            data="Здравствуйте".encode(),
            headers={"Content-Type": "application/octet-stream"},
        ).json()["upload"]
    file = {"token": upload["token"], "filename": "письмо.txt", "content_type": "text/plain"}
    issue = real_redmine.create_issue("ann", uploads=[file])
    (attachment,) = real_redmine.issue(issue, include="attachments")["attachments"]
    assert attachment["filename"] == "письмо.txt"
    stored = read(real_redmine, f"/attachments/download/{attachment['id']}", by="bob")
    assert stored.content.decode() == "Здравствуйте"


def dirty(redmine: RealRedmine) -> None:
    redmine.create_issue("ann")
    redmine.sql("update users set status = 3 where login = 'bob'")
    switched_off = "update settings set value = '0', updated_on = localtimestamp where name = %s"
    redmine.sql(switched_off, "rest_api_enabled")
    assert read(redmine, "/users/current.json").status_code == 403


@pytest.mark.parametrize("before", ["first", "second"])
def test_a_reset_forgets_issues_users_and_settings(real_redmine: RealRedmine, before: str) -> None:
    for _ in range(6):  # both workers, whatever each has cached
        assert read(real_redmine, "/users/current.json").status_code == 200
    assert real_redmine.sql("select count(*) from issues") == [(0,)]
    assert read(real_redmine, "/issues.json").json()["total_count"] == 0
    assert real_redmine.create_issue("bob") == 1
    dirty(real_redmine)


# Of every table but for when somebody was last there, and of every sequence.
CONTENTS = """
select tablename, query_to_xml(format($$
  select (to_jsonb(t) - 'last_login_on' - 'updated_on')::text as row from public.%I t order by 1
$$, tablename), false, false, '') from pg_tables where schemaname = 'public'
union all select sequencename, xmlforest(last_value) from pg_sequences where schemaname = 'public' order by 1
"""


def test_a_reset_leaves_no_trace_in_any_table(service_run: ServiceRun, real_redmine: RealRedmine) -> None:
    pristine = service_run.cluster.psql(CONTENTS, database="pristine")
    assert "workflows" in pristine
    dirty(real_redmine)
    real_redmine.sql("delete from workflows")
    real_redmine.bulk_load(issues=30, journals=90)
    assert service_run.cluster.psql(CONTENTS, database="redmine") != pristine
    service_run.redmine.reset()
    assert service_run.cluster.psql(CONTENTS, database="redmine") == pristine


def test_bulk_issues_show_through_the_api(real_redmine: RealRedmine) -> None:
    started = time.monotonic()
    ids = real_redmine.bulk_load(issues=20_000, journals=61_000)
    assert time.monotonic() - started < 30
    assert len(ids) == 20_000
    assert read(real_redmine, "/issues.json", status_id="*", limit="1").json()["total_count"] == 20_000
    assert real_redmine.sql("select count(*) from journals") == [(61_000,)]
    newest = {"status_id": "*", "sort": "updated_on:desc", "limit": "1"}
    (issue,) = read(real_redmine, "/issues.json", **newest).json()["issues"]
    assert issue["updated_on"] < (datetime.now(UTC) - timedelta(hours=23)).strftime(ISO)
    assert real_redmine.create_issue("ann") == ids.stop


def test_a_bulk_issue_is_like_one_made_by_hand(real_redmine: RealRedmine) -> None:
    real_redmine.bulk_load(issues=300, journals=900)
    ((busiest, count),) = real_redmine.sql(
        "select journalized_id, count(*) from journals group by 1 order by 2 desc, 1 limit 1"
    )
    issue = real_redmine.issue(busiest)
    journals = issue["journals"]
    assert len(journals) == count > 9
    assert [journal["created_on"] for journal in journals] == sorted(j["created_on"] for j in journals)
    assert issue["updated_on"] == journals[-1]["created_on"]
    for name, shown in (("status_id", issue["status"]), ("assigned_to_id", issue.get("assigned_to"))):
        steps = [d for journal in journals for d in journal["details"] if d["name"] == name]
        assert steps
        assert [step["new_value"] for step in steps[:-1]] == [step["old_value"] for step in steps[1:]]
        assert steps[-1]["new_value"] == (str(shown["id"]) if shown else None)


def test_a_bulk_issue_can_be_changed_and_take_a_child(real_redmine: RealRedmine) -> None:
    real_redmine.bulk_load(issues=50, journals=10)
    ((parent, place),) = real_redmine.sql(
        "select i.id, identifier from issues i join projects p on p.id = i.project_id order by 1 limit 1"
    )
    child = real_redmine.create_issue("admin", project=place, parent_issue_id=parent)
    assert real_redmine.update_issue(parent, "ann", notes="ещё") == 204
    shown = real_redmine.issue(parent, include="journals,children")
    assert [row["id"] for row in shown["children"]] == [child]
    assert shown["journals"][-1]["notes"] == "ещё"


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_has_an_empty_database_of_its_own(postgres_url: str, turn: str) -> None:
    import sqlalchemy

    engine = sqlalchemy.create_engine(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("create table mine (id int)")
        me = connection.exec_driver_sql("select rolsuper from pg_roles where rolname = current_user")
        assert me.scalar() is False
    engine.dispose()


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_has_an_empty_redis(redis_url: str, turn: str) -> None:
    import redis

    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("mine", turn)

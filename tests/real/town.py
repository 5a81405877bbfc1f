"""A large Redmine: filled in bulk, with people around some of its issues, changed behind its back."""

import random
from collections.abc import Sequence

import psycopg

from tests.redmines import RealRedmine

PEOPLE = ("bob", "carl", "dora", "eve", "fred", "gina", "hugo", "iris")  # ann makes the changes

TAKE = """
select i.id from issues i join projects p on p.id = i.project_id and p.identifier = 'open'
where not i.is_private order by md5(i.id::text) limit %s
"""
GIVE = "update issues set author_id = %s, assigned_to_id = %s where id = %s"
UNWATCH = "delete from watchers where watchable_type = 'Issue' and watchable_id = any(%s)"
WATCH = "insert into watchers (watchable_type, watchable_id, user_id) values ('Issue', %s, %s)"
TOUCH = """
with touched as (
  select id, row_number() over (order by id) as n from issues where id = any(%s)
), moved as (
  update issues set updated_on = localtimestamp + (n - %s) * interval '1 second', done_ratio = 10
  from touched where touched.id = issues.id returning issues.id, issues.updated_on
), written as (
  insert into journals (journalized_id, journalized_type, user_id, notes, created_on, private_notes)
  select id, 'Issue', %s, 'Looked at it', updated_on, false from moved returning id
)
insert into journal_details (journal_id, property, prop_key, old_value, value)
select id, 'attr', 'done_ratio', '0', '10' from written
"""


def surround(redmine: RealRedmine, count: int) -> list[int]:
    """Put four people around so many public issues: author, assignee, two watchers; return the ids."""
    rng = random.Random(1)
    issues = [row[0] for row in redmine.sql(TAKE, count)]
    assert len(issues) == count, "not that many public issues"
    numbers = [redmine.id_of("user", login) for login in PEOPLE]
    around = {issue: rng.sample(numbers, 4) for issue in issues}
    redmine.sql(UNWATCH, issues)
    with psycopg.connect(f"postgresql://{redmine.dsn}", connect_timeout=10) as connection:
        cursor = connection.cursor()
        cursor.executemany(GIVE, [(a, b, issue) for issue, (a, b, *_) in around.items()])
        cursor.executemany(WATCH, [(issue, w) for issue, (*_, c, d) in around.items() for w in (c, d)])
    return issues


def touch(redmine: RealRedmine, issues: Sequence[int], ago_s: int) -> None:
    """Add a note and a change of `done_ratio` to each issue, a second apart; the first was so long ago."""
    redmine.sql(TOUCH, list(issues), ago_s, redmine.id_of("user", "ann"))

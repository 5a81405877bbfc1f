-- Many issues and journals, spread over two years that end a day ago, as Redmine itself would have written them.
-- Settings bulk.issues and bulk.journals: how many. The same numbers give the same rows, but for the clock.
-- A few issues get many journals and many get none or one, as in life; every fifth issue or so is closed;
-- status and assignee of an issue are those its journals lead to.

create function pg_temp.chance(row_number bigint, salt int) returns float8 language sql immutable as
  $$ select (hashint8(row_number * 1000003 + salt) & 2147483647) / 2147483648.0 $$;
create function pg_temp.pick(from_ids int[], row_number bigint, salt int) returns int language sql immutable as
  $$ select from_ids[1 + floor(pg_temp.chance(row_number, salt) * cardinality(from_ids))::int] $$;

create temp table bulk_place as
select p.id as project_id, m.writers, m.principals, p.identifier
from projects p cross join lateral (
  select array_agg(u.id order by u.id) filter (where u.type = 'User') as writers,
         array_agg(u.id order by u.id) as principals
  from members m join users u on u.id = m.user_id where m.project_id = p.id and u.status = 1
) m;

-- The assignee after `turn` changes; null for every sixth.
create function pg_temp.assignee(principals int[], issue bigint, turn int) returns int language sql immutable as
  $$ select case when pg_temp.chance(issue, 100 + turn) > 0.17
                 then pg_temp.pick(principals, issue, 200 + turn) end $$;

create temp table bulk_span as
select localtimestamp - interval '731 days' as first_at, localtimestamp - interval '1 day' as last_at;

create temp table bulk_issue as
select i, nextval('issues_id_seq') as id, place.project_id, place.writers, place.principals,
       first_at + (last_at - first_at) * (i::float8 / current_setting('bulk.issues')::int) * 0.99 as created_on
from generate_series(0, current_setting('bulk.issues')::int - 1) i
cross join bulk_span
join bulk_place place
  on place.identifier = case when pg_temp.chance(i, 1) < 0.7 then 'open' else 'closed-circle' end
order by i;
create unique index on bulk_issue (i);

create temp table bulk_journal as
select chosen.i, chosen.j, row_number() over (partition by chosen.i order by chosen.j)::int as turn,
       count(*) over (partition by chosen.i)::int as turns
from (
  select j, floor(current_setting('bulk.issues')::int * power(pg_temp.chance(j, 2), 1.5))::int as i
  from generate_series(1, current_setting('bulk.journals')::int) j
) chosen;
create index on bulk_journal (i);

create temp table bulk_status as
select row_number() over (order by position)::int - 1 as step, count(*) over ()::int as steps, id, is_closed
from issue_statuses where name <> 'Rejected';

insert into issues (id, tracker_id, project_id, subject, description, status_id, assigned_to_id, priority_id,
                    author_id, created_on, updated_on, start_date, done_ratio, is_private, lock_version,
                    root_id, lft, rgt, closed_on)
select issue.id, pg_temp.pick((select array_agg(id order by id) from trackers), i, 3), issue.project_id,
       'Заявка ' || i || ': ' || (array['принтер', 'VPN', 'почта', 'монитор', '1С'])[1 + i % 5],
       repeat('Не работает с самого утра, помогите, пожалуйста. ', 1 + i % 7),
       status.id, pg_temp.assignee(principals, i, (known.turns + 1) / 3),
       pg_temp.pick((select array_agg(id order by id) from enumerations where type = 'IssuePriority'), i, 4),
       pg_temp.pick(writers, i, 5), created_on,
       created_on + (last_at - created_on) * (known.turns::float8 / (known.turns + 1)), created_on::date,
       (i % 11) * 10, pg_temp.chance(i, 6) < 0.03, known.turns, issue.id, 1, 2,
       case when status.is_closed
            then created_on + (last_at - created_on) * (known.turns::float8 / (known.turns + 1)) end
from bulk_issue issue
cross join bulk_span
left join (select distinct i, turns from bulk_journal) counted using (i)
cross join lateral (select coalesce(counted.turns, 0) as turns) known
join bulk_status status on status.step = (i + known.turns / 3) % status.steps
order by i;

alter table bulk_journal add column id int, add column made_at timestamp;
update bulk_journal journal set made_at = created_on + (last_at - created_on) * (turn::float8 / (turns + 1))
from bulk_issue issue, bulk_span where issue.i = journal.i;
update bulk_journal journal set id = numbered.id
from (select j, nextval('journals_id_seq') as id from (select j from bulk_journal order by made_at, j) o) numbered
where numbered.j = journal.j;

-- Each third journal changes the status, the one before it the assignee; the others are notes.
insert into journals (id, journalized_id, journalized_type, user_id, notes, created_on, private_notes)
select journal.id, issue.id, 'Issue',
       case when secret then (select id from users where login = 'ann') else pg_temp.pick(writers, j, 7) end,
       case when turn % 3 <> 0 or secret then repeat('Посмотрели, ещё не работает; see the log. ', 1 + j::int % 9) end,
       made_at, secret
from bulk_journal journal join bulk_issue issue using (i)
cross join lateral (select turn % 3 = 1 and pg_temp.chance(j, 8) < 0.06 as secret) note
order by journal.id;

insert into journal_details (journal_id, property, prop_key, old_value, value)
select journal.id, 'attr', 'status_id', old.id::text, new.id::text
from bulk_journal journal
join bulk_status old on old.step = (i + turn / 3 - 1) % old.steps
join bulk_status new on new.step = (i + turn / 3) % new.steps
where turn % 3 = 0
order by journal.id;

insert into journal_details (journal_id, property, prop_key, old_value, value)
select journal.id, 'attr', 'assigned_to_id', old::text, new::text
from bulk_journal journal join bulk_issue issue using (i)
cross join lateral (select pg_temp.assignee(principals, i, (turn - 2) / 3) as old,
                           pg_temp.assignee(principals, i, (turn - 2) / 3 + 1) as new) changed
where turn % 3 = 2 and old is distinct from new
order by journal.id;

insert into watchers (watchable_type, watchable_id, user_id)
select 'Issue', id, watcher
from bulk_issue cross join lateral (
  select pg_temp.pick(writers, i, 9) as watcher where i % 2 = 0
  union select pg_temp.pick(writers, i, 10) where i % 5 = 0
) chosen;

analyze issues; analyze journals; analyze journal_details; analyze watchers;
select min(id), max(id) from bulk_issue;

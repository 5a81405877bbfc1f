-- Keep what every table and sequence holds now, and make the function that brings it all back.
-- Deleting and writing a few hundred rows takes a tenth of a new database's time, which is two checkpoints.

create schema kept;

do $$
declare name text;
begin
  for name in select tablename from pg_tables where schemaname = 'public' loop
    execute format('create table kept.%I as table public.%I', name, name);
  end loop;
end $$;

create table kept."all sequences" as
select sequencename::text as name, last_value, start_value from pg_sequences where schemaname = 'public';

-- Ends every other session first: a request still under way must not write into the next test.
create function kept.put_back() returns void language plpgsql as $$
declare name text;
begin
  perform pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid();
  for name in select tablename from pg_tables where schemaname = 'public' order by 1 loop
    execute format('lock table public.%I in access exclusive mode', name);
  end loop;
  for name in select tablename from pg_tables where schemaname = 'public' loop
    execute format('delete from public.%I', name);
    execute format('insert into public.%I table kept.%I', name, name);
  end loop;
  perform setval(format('public.%I', s.name)::regclass, coalesce(last_value, start_value), last_value is not null)
  from kept."all sequences" s;
end $$;

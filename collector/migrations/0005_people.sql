-- Views for people with the one index that they need, and what lets the collector run without owning its tables.

-- Starts by people. The cut keeps the index's rows below PostgreSQL's bound whatever a document says; names are far shorter.
create index events_launches on events (left(username, 128), "timestamp") where launch;

create view launches as
  select "timestamp", user_domain, left(username, 128) as username, coalesce(program, process_name) as program,
         process_name, host_name, command_line, parent_name, flags, event_id
  from events where launch;
comment on view launches is 'Programs started by people, one row a start';

create view last_seen as
  select user_domain, left(username, 128) as username, coalesce(program, process_name) as program, host_name,
         max("timestamp") as last_seen, count(*) as launches
  from events where launch
  group by user_domain, left(username, 128), coalesce(program, process_name), host_name;
comment on view last_seen is 'When a person last started a program on a computer';

create view first_seen as
  select user_domain, left(username, 128) as username, coalesce(program, process_name) as program, host_name,
         min("timestamp") as first_seen, count(*) as launches
  from events where launch
  group by user_domain, left(username, 128), coalesce(program, process_name), host_name;
comment on view first_seen is 'When a person first started a program on a computer, as far back as events are kept';

create view daily_counts as
  select ("timestamp" at time zone 'UTC')::date as day, user_domain, left(username, 128) as username,
         coalesce(program, process_name) as program, count(*) as launches, count(distinct host_name) as computers
  from events where launch
  group by ("timestamp" at time zone 'UTC')::date, user_domain, left(username, 128), coalesce(program, process_name);
comment on view daily_counts is 'Starts a UTC day, person and program';

-- Drops the partition of one day. Gives up after 3 s where somebody reads for long (SQLSTATE 55P03).
create function drop_events_partition(name text) returns void language plpgsql security definer set lock_timeout = '3s' as $$
begin
  if name !~ '^events_[0-9]{8}$' then raise exception '% is no partition of one day', name; end if;
  if exists (select from pg_inherits join pg_class on pg_class.oid = inhrelid
             where inhparent = 'events'::regclass and relname = name) then
    execute format('drop table if exists %I', name);
  end if;
end $$;

-- Both work with the rights of the tables' owner, so that whoever inserts events need not own them. Their names are looked for
-- in this schema alone.
alter function ensure_events_partition(date) security definer;
do $$
declare one text;
begin
  foreach one in array array['ensure_events_partition(date)', 'drop_events_partition(text)'] loop
    execute format('alter function %s set search_path = %I, pg_temp', one, current_schema());
    execute format('revoke execute on function %s from public', one);
  end loop;
end $$;

-- Lines that were tried again by hand.
alter table dead_letters add column tried_at timestamptz;

-- What Elasticsearch is told beside the events: how the agents do, what became of alerts. An outbox, filled in the transaction of the
-- change itself, whichever code makes it; a row goes when Elasticsearch has its document.

create table report_outbox (
  id           bigint generated always as identity primary key,
  kind         text not null check (kind in ('agent', 'server', 'fact', 'alert')),
  action       text not null,                   -- of an alert: raised, or its fate, or acknowledged
  at           timestamptz(3) not null,         -- when it happened
  source       jsonb not null,                  -- the row as it was then
  leased_until timestamptz not null default '-infinity',  -- a collector is sending it
  attempts     integer not null default 0,      -- over 0 = it may be in Elasticsearch already
  refused      text                             -- Elasticsearch will never take it, and why
);
create index report_outbox_waiting on report_outbox (id) where refused is null;

create table report_state (
  only_row boolean primary key default true check (only_row),
  -- False: no collector sends to Elasticsearch, and nothing is put into the outbox.
  enabled  boolean not null default false,
  -- The last moment of which the agents' states were put into the outbox.
  slot_at  timestamptz not null default '-infinity'
);
insert into report_state default values;

-- Whether to report. The lock is shared by writers; whoever turns the switch takes it alone, so that no change falls between.
create function is_reporting() returns boolean language plpgsql volatile as $$
begin
  perform pg_advisory_xact_lock_shared(hashtextextended('launchbeat.report', 0));
  return (select enabled from report_state);
end $$;

create function report_new_facts() returns trigger language plpgsql as $$
begin
  if is_reporting() then
    insert into report_outbox (kind, action, at, source)
    select 'fact', kind, at, to_jsonb(fresh) from fresh order by id;
  end if;
  return null;
end $$;

create function report_new_alerts() returns trigger language plpgsql as $$
begin
  if is_reporting() then
    insert into report_outbox (kind, action, at, source)
    select 'alert', 'raised', created_at, to_jsonb(fresh) from fresh order by id;
  end if;
  return null;
end $$;

-- A change that is no change of fate (one more attempt) is none to tell.
create function report_changed_alerts() returns trigger language plpgsql as $$
begin
  if is_reporting() then
    insert into report_outbox (kind, action, at, source)
    select 'alert', told.action, now(), to_jsonb(later)
    from later join earlier on earlier.id = later.id
    cross join lateral (
      select later.state as action where later.state <> earlier.state and later.state <> 'pending'
      union all
      select 'acknowledged' where later.acked_at is not null and earlier.acked_at is null
    ) as told
    order by later.id;
  end if;
  return null;
end $$;

create trigger report_new_facts after insert on agent_facts
  referencing new table as fresh for each statement execute function report_new_facts();
create trigger report_new_alerts after insert on alerts
  referencing new table as fresh for each statement execute function report_new_alerts();
create trigger report_changed_alerts after update on alerts
  referencing old table as earlier new table as later for each statement execute function report_changed_alerts();

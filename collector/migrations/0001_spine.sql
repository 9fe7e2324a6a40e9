-- The spine: keys, the ledger of chunks (index queue and archive), events by day, alerts (outbox), dead letters.

create table agent_keys (
  id            text primary key,
  secret_sha256 bytea not null,
  -- Null until its first use binds the key to the agent's own id.
  agent_id      uuid,
  name          text not null default '',
  created_at    timestamptz not null default now(),
  last_used_at  timestamptz,
  revoked_at    timestamptz
);

-- One row per chunk: its bytes as they came, until Elasticsearch has them and the archive's retention is over.
create table chunks (
  id              bigint generated always as identity primary key,
  agent_id        uuid not null,
  idempotency_key text not null,
  digest          bytea not null,               -- SHA-256 of the bytes as they came
  encoding        text not null check (encoding in ('zstd', 'gzip')),
  namespace       text not null,                -- data stream namespace of every line
  lines           integer not null,
  -- 16 bytes a line: event.id as bytes; zeros = not to index (rejected, or stored with an earlier chunk). Empty once body is null.
  line_ids        bytea not null,
  body            bytea,                        -- null once the archive's retention is over
  body_bytes      integer not null,
  receipt         jsonb not null,               -- the answer, given again when the chunk comes again
  received_at     timestamptz not null default now(),
  indexed_at      timestamptz,                  -- null = Elasticsearch does not have all of it yet
  leased_until    timestamptz not null default '-infinity',  -- a collector is indexing it
  index_attempts  integer not null default 0,   -- over 0 = some of it may be in Elasticsearch already
  unique (agent_id, idempotency_key)
);
-- The bytes are compressed: do not let PostgreSQL try again.
alter table chunks alter column body set storage external;
alter table chunks alter column line_ids set storage external;
-- Carries what the queue's bounds are counted from.
create index chunks_to_index on chunks (id) include (body_bytes, lines) where indexed_at is null;
create index chunks_archived on chunks (indexed_at) where body is not null;

create sequence events_id_seq;
create table events (
  id                bigint not null default nextval('events_id_seq'),
  event_id          text not null,
  "timestamp"       timestamptz(3) not null,
  username          text,                       -- the actor: who started it
  user_domain       text,
  user_sid          text,
  process_name      text,
  executable        text,
  command_line      text,
  process_pid       bigint,
  parent_name       text,
  parent_executable text,
  parent_pid        bigint,
  host_name         text not null,
  program           text,                       -- label of the watched program
  launch            boolean not null,           -- a person's start, not a helper process
  flags             text[] not null default '{}',
  record_id         bigint,
  agent_id          uuid not null,
  chunk_id          bigint not null,
  received_at       timestamptz not null default now(),
  primary key ("timestamp", event_id)
) partition by range ("timestamp");
alter sequence events_id_seq owned by events.id;

-- Events of days that have no partition of their own (far past, far future).
create table events_other_days partition of events default;

-- Makes the partition of one UTC day; takes over what the default partition holds of it. Safe to call at the same time.
-- Gives up after 3 s where somebody reads for long (SQLSTATE 55P03), so that nobody queues behind it; rows go to the default
-- partition until the next call. A writer that was on its way there meanwhile gets 23514 and tries again.
create function ensure_events_partition(day date) returns void language plpgsql set lock_timeout = '3s' as $$
declare
  name text := 'events_' || to_char(day, 'YYYYMMDD');
  low  timestamptz := day::timestamp at time zone 'UTC';
  high timestamptz := (day + 1)::timestamp at time zone 'UTC';
begin
  if to_regclass(name) is not null then return; end if;
  perform pg_advisory_xact_lock(hashtextextended('launchbeat.events.partition', 0));
  -- Asks the table: to_regclass() may still answer from before the lock.
  if exists (select from pg_inherits join pg_class on pg_class.oid = inhrelid
             where inhparent = 'events'::regclass and relname = name) then return; end if;
  -- Writers of other days go on: only the default partition is closed, so that no row of this day slips into it.
  lock table events_other_days in access exclusive mode;
  execute format('create table %I (like events including defaults including constraints)', name);
  execute format('with moved as (delete from events_other_days where "timestamp" >= %L and "timestamp" < %L returning *)
                  insert into %I select * from moved', low, high, name);
  execute format('alter table events attach partition %I for values from (%L) to (%L)', name, low, high);
end $$;

-- Alerts, one row per chat: the outbox of notify and the record of what was said.
create table alerts (
  id              bigint generated always as identity primary key,
  rule_id         text not null,
  event_id        text not null,
  event_timestamp timestamptz(3) not null,
  agent_id        uuid not null,
  chat_id         text not null,
  fields          jsonb not null,               -- what the message template may show
  created_at      timestamptz not null default now(),
  state           text not null default 'pending' check (state in ('pending', 'sent', 'failed')),
  attempts        integer not null default 0,
  next_attempt_at timestamptz not null default '-infinity',
  message_id      bigint,
  sent_at         timestamptz,
  last_error      text,
  unique (event_timestamp, event_id, rule_id, chat_id)
);
create index alerts_to_send on alerts (chat_id, id) where state = 'pending';

-- Lines that Elasticsearch will never take, with its reason; PostgreSQL has their events all the same.
create table dead_letters (
  id         bigint generated always as identity primary key,
  chunk_id   bigint not null,
  line       integer not null,                  -- from 1
  event_id   text not null,
  document   bytea not null,                    -- the line's bytes
  status     integer not null,
  reason     text not null,
  created_at timestamptz not null default now(),
  unique (chunk_id, line)
);

-- The fleet: enrolment tokens, agents and their health facts, who changed what.

alter table agent_keys
  -- Computers whose events the key may send, in lower case; null = any.
  add column hosts      text[],
  -- Its first use ends the agent's other keys: the key of a new enrolment.
  add column supersedes boolean not null default false,
  -- Superseded: good until then.
  add column ends_at    timestamptz,
  -- The enrolment token that it was given for.
  add column token_id   text;
create index agent_keys_of_agent on agent_keys (agent_id) where agent_id is not null;

create table enrolment_tokens (
  id            text primary key,
  secret_sha256 bytea not null,
  name          text not null default '',
  -- What an agent gets that enrols with it.
  tags          text[] not null default '{}',
  bind_host     boolean not null default false,   -- its key is for events of its own computer only
  forwarder     boolean not null default false,   -- it may send events of other computers
  known_agents  boolean not null default false,   -- also for agents that have a key already
  uses_max      integer,                          -- null = any number
  uses          integer not null default 0,       -- agents that enrolled with it
  expires_at    timestamptz,
  created_at    timestamptz not null default now(),
  revoked_at    timestamptz
);

-- One row per agent that enrolled or checked in.
create table agents (
  id                  uuid primary key,
  name                text not null default '',
  host                text not null default '',
  os                  text not null default '',
  version             text not null default '',
  tags                text[] not null default '{}',
  forwarder           boolean not null default false,
  token_id            text,
  enrolled_at         timestamptz,
  first_seen_at       timestamptz,                -- first check-in
  last_seen_at        timestamptz,                -- last check-in
  clock_skew_ms       bigint,                     -- positive = the agent's clock is ahead
  reasons             text[] not null default '{}',-- why it is degraded, as of the last check-in
  check_in            jsonb not null default '{}',-- the last one, without its facts
  processes           jsonb not null default '[]',-- its last starts: tells a clone from a restart and a renamed PC
  revoked_at          timestamptz
);

-- Health facts: what happened to an agent, with time and range. Found by itself or by a collector.
create table agent_facts (
  id           bigint generated always as identity primary key,
  agent_id     uuid not null,
  fact_id      text not null,                     -- the same fact again has the same
  kind         text not null,
  level        text not null check (level in ('error', 'warn', 'info')),
  at           timestamptz not null,
  until        timestamptz,
  count        bigint not null default 1,
  from_record  bigint,
  to_record    bigint,
  reason       text not null default '',
  found_by     text not null check (found_by in ('agent', 'collector')),
  received_at  timestamptz not null default now(),
  unique (agent_id, fact_id)
);
create index agent_facts_recent on agent_facts (agent_id, received_at);

-- Who changed what in the fleet, and when. Written in the transaction of the change.
create table audit_log (
  id      bigint generated always as identity primary key,
  at      timestamptz not null default now(),
  actor   text not null,                          -- cli:<account>@<host>, agent:<id>, collector
  action  text not null,                          -- e.g. token.add, key.revoke
  subject text not null,                          -- id of the token, key or agent
  detail  jsonb not null default '{}'             -- never a secret
);

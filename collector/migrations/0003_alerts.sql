-- Quiet without loss: an alert that is not sent by itself stays in alerts with its fate, and a notice tells of it.

-- folded = too old when it came; suppressed = the same was told shortly before; held = came in quiet hours;
-- stormed = the chat had all the messages of the minute that it can bear.
alter table alerts drop constraint alerts_state_check;
alter table alerts add constraint alerts_state_check
  check (state in ('pending', 'sent', 'failed', 'folded', 'suppressed', 'held', 'stormed'));
alter table alerts add column triaged_at timestamptz(3);  -- when its fate was decided; null = not yet, or nothing is to be decided
alter table alerts add column notice_id uuid;             -- the message that tells of it
create index alerts_to_triage on alerts (id) where state = 'pending' and triaged_at is null;
create index alerts_passed on alerts (triaged_at) where triaged_at is not null and notice_id is null;
create index alerts_of_notice on alerts (notice_id, id) where notice_id is not null;

-- Messages that tell of several alerts; while it is open, alerts join it.
create table notices (
  id           uuid primary key,
  seq          bigint generated always as identity,
  chat_id      text not null,
  kind         text not null check (kind in ('folded', 'suppressed', 'held', 'storm')),
  rule_id      text not null default '',        -- of suppressed
  key          text not null default '',        -- of suppressed: digest of what its alerts have in common
  state        text not null check (state in ('open', 'pending', 'sent', 'failed')),
  count        integer not null,                -- alerts that have this notice_id
  window_ms    double precision not null,       -- of suppressed: how long it is open
  opened_at    timestamptz(3) not null,
  due_at       timestamptz(3) not null,
  minute_at    timestamptz(3) not null,         -- of storm: the minute that is being counted
  minute_count integer not null,
  first_at     timestamptz(3),                  -- oldest and newest event
  last_at      timestamptz(3),
  last_rule_id text,                            -- the alert that joined last
  last_fields  jsonb,
  -- What the chat has seen of it.
  passed_at    timestamptz(3),
  message_id   bigint,
  told_count   integer not null default 0,
  told_at      timestamptz(3),
  listed_to    bigint not null default 0,       -- the list as a file has been sent up to this alert
  attempts     integer not null default 0,
  last_error   text
);
create unique index notices_open_suppressed on notices (rule_id, chat_id, key) where state = 'open' and kind = 'suppressed';
create unique index notices_open on notices (chat_id, kind) where state = 'open' and kind <> 'suppressed';
create index notices_due on notices (due_at) where state = 'open';
create index notices_to_send on notices (seq) where state = 'pending';
create index notices_passed on notices (passed_at);
create unique index notices_by_seq on notices (seq);

-- What counting rules keep in mind: events of one rule and key that no alert was made of yet.
create table rule_hits (
  track      bytea not null,                    -- digest of the rule's meaning and the key
  part       text not null check (part in ('hit', 'then')),
  at_ms      bigint not null,                   -- event time, Unix milliseconds, to the grain of the rule
  value      text not null,                     -- what is counted: digest of the value
  event_id   text not null,
  said       jsonb,                             -- of then: what its alert would say
  expires_at timestamptz not null,              -- no event that still counts can need it then
  primary key (track, part, at_ms, value)
);
create index rule_hits_expired on rule_hits (expires_at);

-- What rules of kind new_value have seen.
create table rule_seen (
  definition bytea not null,                    -- digest of the rule's meaning
  key        bytea not null,
  seen_at    timestamptz not null default now(),
  primary key (definition, key)
);
create table rule_learning (
  definition bytea primary key,
  rule_id    text not null,
  begun_at   timestamptz not null,
  known_from timestamptz not null,              -- how far back the events go that it was learnt from
  learnt_at  timestamptz,                       -- null = the events that were there are not learnt yet
  used_at    timestamptz not null default now()
);

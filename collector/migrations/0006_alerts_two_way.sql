-- Alerts, second part: kinds of rules that compare with the usual, messages beside alerts, what people do in the chat.

-- Of rules of kind spike: events of one rule and key by window of their time.
create table rule_counts (
  track      bytea not null,                    -- digest of the rule's meaning and the key
  slot       bigint not null,                   -- number of the window since 1970
  events     integer not null,
  told       boolean not null,                  -- an alert was made of it
  expires_at timestamptz not null,
  primary key (track, slot)
);
create index rule_counts_expired on rule_counts (expires_at);

-- Of rules of kind flatline: the last signs of life of each key.
create table rule_pulses (
  track       bytea primary key,
  definition  bytea not null,                   -- digest of the rule's meaning
  key         text not null,
  began_ms    double precision not null,        -- event time of the first one, Unix milliseconds
  times_ms    double precision[] not null,      -- the newest, as many as the rule asks for, newest first
  quiet_since timestamptz(3) not null,          -- too few since then
  told        boolean not null default false,
  said        jsonb not null,                   -- what an alert says of the newest
  seen_at     timestamptz not null default now()
);
create index rule_pulses_quiet on rule_pulses (definition, told, quiet_since);
create index rule_pulses_seen on rule_pulses (seen_at);

-- Of rules about agents: what is going on, told once.
create table rule_spells (
  rule_id  text not null,
  subject  text not null,                       -- the agent, and of agent_degraded its trouble
  began_at timestamptz not null default now(),
  primary key (rule_id, subject)
);

-- muted = somebody in the chat asked for quiet.
alter table alerts drop constraint alerts_state_check;
alter table alerts add constraint alerts_state_check
  check (state in ('pending', 'sent', 'failed', 'folded', 'suppressed', 'held', 'stormed', 'muted'));
alter table notices drop constraint notices_kind_check;
alter table notices add constraint notices_kind_check
  check (kind in ('folded', 'suppressed', 'held', 'storm', 'muted'));
-- A muted one is told for each mute by itself.
drop index notices_open;
create unique index notices_open on notices (chat_id, kind) where state = 'open' and kind in ('folded', 'held', 'storm');
create unique index notices_open_muted on notices (chat_id, key) where state = 'open' and kind = 'muted';

-- A message may be in the chat twice: what became of an attempt is unknown.
alter table alerts add column sending_at timestamptz;           -- null = no attempt is on its way
alter table alerts add column maybe_twice boolean not null default false;
alter table alerts add column acked_at timestamptz;
alter table alerts add column acked_by text;                    -- as Telegram names the person

-- Messages that are no alerts: answers, receipts, trouble. An edit changes the message of an alert.
create table bulletins (
  id              bigint generated always as identity primary key,
  chat_id         text not null,
  kind            text not null check (kind in ('answer', 'receipt', 'trouble', 'edit')),
  topic           text not null,                -- the same topic again is not said twice
  html            text not null,
  plain           text not null,
  alert_id        bigint,                       -- of edit
  state           text not null default 'pending' check (state in ('pending', 'sent', 'failed')),
  created_at      timestamptz not null default now(),
  sent_at         timestamptz,
  message_id      bigint,
  attempts        integer not null default 0,
  last_error      text,
  unique (chat_id, topic)
);
create index bulletins_to_send on bulletins (chat_id, id) where state = 'pending';

-- Quiet that somebody asked for.
create table mutes (
  id         uuid primary key,
  chat_id    text not null,
  rule_id    text not null,
  pair       text,                              -- null = the whole rule; else parent and process as one text
  until      timestamptz(3) not null,
  created_at timestamptz not null default now(),
  created_by text not null
);
create index mutes_until on mutes (until);

-- How far the updates of each bot were taken.
create table bot_updates (
  bot        text primary key,
  next_id    bigint not null
);

-- Alerts as people ask for them.
create index alerts_recent on alerts (created_at);

-- Keys that are replaced without a restart, and the computers that an agent's keys speak for.

alter table agent_keys
  -- The key of the same agent whose place it takes: made by a rotation.
  add column rotates text;

alter table agents
  -- An operator wants the agent to have a new key; null = nobody does, or it uses one since.
  add column rotate_asked_at timestamptz,
  -- Digest of the operating system's own id of the machine, as the agent said last; empty = it did not.
  add column machine         text not null default '';

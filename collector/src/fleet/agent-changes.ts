/**
 * What an operator changes of agents and keys: a key made, revoked, bound to computers.
 * Keeps: each change is one transaction with its line in the audit log.
 */
import type { Sql } from 'postgres';
import { hostKey } from './allowed-host.ts';
import { audit } from './audit.ts';
import { insertKey, type NewKey } from './keys.ts';

/** Makes a key by hand; the first agent that uses it has it. */
export async function addKey(
  sql: Sql,
  options: { readonly name: string; readonly hosts?: readonly string[] },
  actor: string,
): Promise<NewKey> {
  const { name, hosts } = options;
  return await sql.begin(async (transaction) => {
    const key = await insertKey(transaction, {
      name,
      ...(hosts === undefined ? {} : { hosts: hosts.map(hostKey) }),
    });
    await audit(transaction, {
      ...{ actor, action: 'key.add', subject: key.id, detail: { name, hosts: [...(hosts ?? [])] } },
    });
    return key;
  });
}

/** Revokes one key; false if there is none of that id. */
export async function revokeKey(sql: Sql, id: string, actor: string): Promise<boolean> {
  return await sql.begin(async (transaction) => {
    const [row] = await transaction<{ agent_id: string | null }[]>`
      update agent_keys set revoked_at = coalesce(revoked_at, now()) where id = ${id}
      returning agent_id`;
    if (row === undefined) return false;
    await audit(transaction, {
      ...{ actor, action: 'key.revoke', subject: id, detail: { agent_id: row.agent_id } },
    });
    return true;
  });
}

/** Revokes every key of an agent; the agent keeps its files. Undefined if nothing is known of it, else how many keys. */
export async function revokeAgent(
  sql: Sql,
  agentId: string,
  actor: string,
): Promise<number | undefined> {
  return await sql.begin(async (transaction) => {
    const agents = await transaction`
      insert into agents (id, revoked_at)
      select ${agentId}, now() where exists (select from agent_keys where agent_id = ${agentId})
        or exists (select from agents where id = ${agentId})
      on conflict (id) do update set revoked_at = coalesce(agents.revoked_at, now()) returning id`;
    if (agents.length === 0) return undefined;
    const keys = await transaction<{ id: string }[]>`
      update agent_keys set revoked_at = now() where agent_id = ${agentId} and revoked_at is null
      returning id`;
    await audit(transaction, {
      ...{ actor, action: 'agent.revoke', subject: agentId },
      detail: { keys: keys.map((key) => key.id) },
    });
    return keys.length;
  });
}

/** Says which computers' events the keys of an agent may send; undefined = any. False if it has no valid key. */
export async function bindHosts(
  sql: Sql,
  agentId: string,
  hosts: readonly string[] | undefined,
  actor: string,
): Promise<boolean> {
  const names = hosts?.map(hostKey) ?? null;
  return await sql.begin(async (transaction) => {
    const keys = await transaction`
      update agent_keys set hosts = ${names}
      where agent_id = ${agentId} and revoked_at is null returning id`;
    if (keys.length === 0) return false;
    // Who it is now is taken from its next check-in.
    await transaction`update agents set machine = '' where id = ${agentId}`;
    await audit(transaction, {
      ...{ actor, action: 'agent.hosts', subject: agentId, detail: { hosts: names } },
    });
    return true;
  });
}

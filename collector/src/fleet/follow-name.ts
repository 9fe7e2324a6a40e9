/**
 * Takes a check-in under a key that is for events of certain computers, and says whether the name that the agent gives now is one of
 * them. Tables agents, agent_keys.
 * Keeps: a PC that was renamed goes on by itself (the same operating system says so, and nobody else has the name); everything else
 * that comes under another name is told as a fact and changes nothing, so that its events stay refused until an operator says who
 * it is.
 */
import type { TransactionSql } from 'postgres';
import { hostKey, isAllowedHost } from './allowed-host.ts';
import { audit } from './audit.ts';
import type { Key } from './keys.ts';

export interface NamedAgent {
  readonly agentId: string;
  readonly key: Pick<Key, 'id' | 'hosts'>;
  /** As the agent says now. */
  readonly host: string;
  readonly machine: string;
  /** As it said last; empty = it did not. */
  readonly machineBefore: string;
}

/** Former names stay good: events from before may still wait on the PC. */
const NAMES_MAX = 8;

/** What is wrong with the name, for people; undefined = the key is for this computer, from now on or since long. */
export async function followName(
  sql: TransactionSql,
  { agentId, key, host, machine, machineBefore }: NamedAgent,
): Promise<string | undefined> {
  const { hosts } = key;
  if (isAllowedHost(hosts, host) || hosts === undefined) return undefined;
  const mend = `if that is right: launchbeat-collector agents hosts ${agentId} ${hostKey(host)}`;
  const [other] = await sql<{ id: string }[]>`
    select id from agents
    where id <> ${agentId} and lower(host) = ${hostKey(host)} and revoked_at is null
      and exists (select from agent_keys where agent_id = agents.id and revoked_at is null and ends_at is null)
    limit 1`;
  if (other !== undefined) {
    return `Agent says that its computer is ${host}, which is the computer of agent ${other.id}; ${mend}`;
  }
  if (machine === '' || machine !== machineBefore) {
    return `Agent says that its computer is ${host}, and it is not known to be the one that enrolled; ${mend}`;
  }
  const names = [...hosts, hostKey(host)].slice(-NAMES_MAX);
  await sql`
    update agent_keys set hosts = ${names}
    where agent_id = ${agentId} and hosts is not null and revoked_at is null`;
  await audit(sql, {
    ...{ actor: `agent:${agentId}`, action: 'agent.rename', subject: agentId },
    detail: { host, hosts: names, key_id: key.id },
  });
  return undefined;
}

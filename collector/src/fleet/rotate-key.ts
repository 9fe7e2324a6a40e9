/**
 * A key is replaced while its agent runs: an operator asks for it, the agent hears of it in the answer to its check-in, gets a new
 * key under the one that it has. Tables agents, agent_keys.
 * Keeps: both keys are good until the new one is used (keys.ts ends the other then), so that whatever is lost on the way the agent
 * has one that works; a new key whose answer was lost is dropped when the agent asks again; nobody gets one unasked, so that who
 * stole a key cannot lock its agent out by it.
 */
import type { ProblemName, RotateAnswer } from '@launchbeat/ecs-schemas';
import type { Sql } from 'postgres';
import { audit } from './audit.ts';
import { insertKey, type Key } from './keys.ts';

export type RotateOutcome =
  | { readonly outcome: 'done'; readonly answer: RotateAnswer }
  | { readonly outcome: 'refused'; readonly problem: ProblemName; readonly detail: string };

/** Asks for new keys: of one agent, or of all that have a valid one. Gives the agents that are asked now. */
export async function askForRotation(
  sql: Sql,
  which: { readonly agentId: string } | 'all',
  actor: string,
): Promise<readonly string[]> {
  const only = which === 'all' ? null : which.agentId;
  return await sql.begin(async (transaction) => {
    const agents = await transaction<{ id: string }[]>`
      insert into agents (id, rotate_asked_at)
      select distinct agent_id, now() from agent_keys
      where agent_id is not null and revoked_at is null and ends_at is null
        and (${only}::uuid is null or agent_id = ${only})
      on conflict (id) do update set rotate_asked_at = coalesce(agents.rotate_asked_at, now())
        where agents.revoked_at is null
      returning id`;
    for (const { id } of agents) {
      await audit(transaction, { actor, action: 'agent.rotate', subject: id });
    }
    return agents.map((one) => one.id);
  });
}

/** Gives the agent of `key` a new one. Rejects when PostgreSQL cannot be asked. */
export async function rotateKey(sql: Sql, key: Key): Promise<RotateOutcome> {
  const { agentId, hosts, name } = key;
  if (agentId === undefined) return notAsked('the key is not bound to an agent yet');
  return await sql.begin(async (transaction): Promise<RotateOutcome> => {
    const [agent] = await transaction<{ asked: boolean }[]>`
      select rotate_asked_at is not null and revoked_at is null as asked
      from agents where id = ${agentId} for update`;
    if (agent?.asked !== true) return notAsked(`agent ${agentId} is to keep its key`);
    const dropped = await transaction<{ id: string }[]>`
      update agent_keys set revoked_at = now()
      where agent_id = ${agentId} and rotates is not null and last_used_at is null and revoked_at is null
      returning id`;
    const fresh = await insertKey(transaction, {
      ...{ name, agentId, supersedes: true, rotates: key.id },
      ...(hosts === undefined ? {} : { hosts }),
    });
    await audit(transaction, {
      ...{ actor: `agent:${agentId}`, action: 'key.rotate', subject: fresh.id },
      detail: { agent_id: agentId, rotates: key.id, dropped: dropped.map((one) => one.id) },
    });
    return { outcome: 'done', answer: { agent_id: agentId, api_key: fresh.encoded } };
  });
}

const notAsked = (why: string): RotateOutcome => ({
  outcome: 'refused',
  problem: 'rotation-not-asked',
  detail: `No new key: ${why}. Ask with launchbeat-collector agents rotate.`,
});

/**
 * Takes an enrolment token and who asks, gives the agent a key of its own. Tables enrolment_tokens, agents, agent_keys.
 * Keeps: a token is compared in constant time, for unknown ids too; one transaction counts the use and makes the key; an agent
 * whose answer was lost may ask again as long as its key was never used; a token is no way to another agent's id.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { EnrollAnswer, EnrollRequest, ProblemName } from '@launchbeat/ecs-schemas';
import type { Sql, TransactionSql } from 'postgres';
import { hostKey } from './allowed-host.ts';
import { audit } from './audit.ts';
import { insertKey } from './keys.ts';
import { type TokenRow, type TokenState, tokenState } from './tokens.ts';

export type EnrollOutcome =
  | { readonly outcome: 'done'; readonly answer: EnrollAnswer; readonly keyId: string }
  | { readonly outcome: 'refused'; readonly problem: ProblemName; readonly detail: string };

/** An `id:secret` as it came. */
export interface Credentials {
  readonly id: string;
  readonly secret: string;
}

const NO_DIGEST = randomBytes(32);

/** Enrols an agent. Rejects when PostgreSQL cannot be asked. */
export async function enroll(
  sql: Sql,
  token: Credentials,
  request: EnrollRequest,
  nowMs: number = Date.now(),
): Promise<EnrollOutcome> {
  return await sql.begin(async (transaction) => {
    const row = await readToken(transaction, token);
    if (row === undefined) {
      return refuse('unauthorized', 'Enrolment token is unknown or wrong.');
    }
    const state = tokenState(row, nowMs);
    if (state !== 'valid' && state !== 'used up') return refuseToken(state);
    // One use may be this very agent's, whose answer was lost.
    const again = await dropUnusedKey(transaction, row.id, request.agent_id);
    if (state === 'used up' && !again) return refuseToken(state);
    const known = await isKnown(transaction, request.agent_id);
    if (known !== undefined && !row.known_agents) {
      const mend = 'A token made with --known-agents gives it a new one.';
      return refuse('agent-known', `Agent ${request.agent_id} ${known}. ${mend}`);
    }
    return await admit(transaction, row, request, { again, known: known !== undefined });
  });
}

const refuse = (problem: ProblemName, detail: string): EnrollOutcome => ({
  outcome: 'refused',
  problem,
  detail,
});

const refuseToken = (state: TokenState): EnrollOutcome =>
  refuse(
    'token-refused',
    `Enrolment token is ${state}. Make a new one with launchbeat-collector tokens add.`,
  );

/** The token's row, locked until the end, if the secret is right. */
async function readToken(
  sql: TransactionSql,
  { id, secret }: Credentials,
): Promise<TokenRow | undefined> {
  const [row] = /^[\w-]{1,64}$/.test(id)
    ? await sql<TokenRow[]>`select * from enrolment_tokens where id = ${id} for update`
    : [];
  const digest = createHash('sha256').update(secret).digest();
  return timingSafeEqual(digest, row?.secret_sha256 ?? NO_DIGEST) ? row : undefined;
}

/** Revokes the key that this token gave to this agent and that was never used; whether there was one. */
async function dropUnusedKey(
  sql: TransactionSql,
  tokenId: string,
  agentId: string,
): Promise<boolean> {
  const dropped = await sql`
    update agent_keys set revoked_at = now()
    where token_id = ${tokenId} and agent_id = ${agentId} and last_used_at is null and revoked_at is null
    returning id`;
  return dropped.length > 0;
}

/** What the collector knows of the agent already, as the end of a sentence; undefined = nothing that counts. */
async function isKnown(sql: TransactionSql, agentId: string): Promise<string | undefined> {
  const [row] = await sql<{ revoked: boolean; keyed: boolean }[]>`
    select exists (select from agents where id = ${agentId} and revoked_at is not null) as revoked,
           exists (select from agent_keys where agent_id = ${agentId}
             and revoked_at is null and ends_at is null) as keyed`;
  if (row?.revoked === true) return 'was revoked';
  return row?.keyed === true ? 'has a key already' : undefined;
}

async function admit(
  sql: TransactionSql,
  token: TokenRow,
  request: EnrollRequest,
  before: { readonly again: boolean; readonly known: boolean },
): Promise<EnrollOutcome> {
  const { agent_id: agentId, name, host, version } = request;
  const key = await insertKey(sql, {
    name: name === '' ? host.name : name,
    agentId,
    tokenId: token.id,
    supersedes: before.known,
    ...(token.bind_host && !token.forwarder ? { hosts: [hostKey(host.name)] } : {}),
  });
  if (!before.again) {
    await sql`update enrolment_tokens set uses = uses + 1 where id = ${token.id}`;
  }
  const tags = [...token.tags];
  await sql`
    insert into agents (id, name, host, os, machine, version, tags, forwarder, token_id, enrolled_at)
    values (${agentId}, ${name}, ${host.name}, ${host.os}, ${host.machine}, ${version}, ${tags},
      ${token.forwarder}, ${token.id}, now())
    on conflict (id) do update set name = excluded.name, host = excluded.host, os = excluded.os,
      machine = excluded.machine, version = excluded.version, tags = excluded.tags, forwarder = excluded.forwarder,
      token_id = excluded.token_id, enrolled_at = excluded.enrolled_at, revoked_at = null`;
  await audit(sql, {
    ...{ actor: `token:${token.id}`, action: 'agent.enroll', subject: agentId },
    detail: { key_id: key.id, host: host.name, again: before.again, known: before.known },
  });
  const answer = { agent_id: agentId, api_key: key.encoded, tags };
  return { outcome: 'done', answer, keyId: key.id };
}

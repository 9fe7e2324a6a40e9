/**
 * Enrolment tokens: made, listed, revoked. Table enrolment_tokens.
 * Keeps: the secret is stored as its SHA-256 only and shown once; every change is audited.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Sql } from 'postgres';
import { audit } from './audit.ts';

/** What an agent gets that enrols with the token. */
export interface TokenPolicy {
  readonly name: string;
  readonly tags: readonly string[];
  /** It may send events of other computers; without it, its key is for events of its own computer only. */
  readonly forwarder: boolean;
  /** Also for agents that have a key already. */
  readonly knownAgents: boolean;
  /** Absent = any number of agents. */
  readonly usesMax?: number;
  readonly expiresAt?: Date;
}

export interface NewToken {
  readonly id: string;
  /** `id:secret`, as `launchbeat enroll --token` takes it. */
  readonly encoded: string;
}

export interface ListedToken extends TokenPolicy {
  readonly id: string;
  readonly uses: number;
  readonly createdAt: Date;
  readonly state: TokenState;
}

export type TokenState = 'valid' | 'used up' | 'expired' | 'revoked';

/** A row of enrolment_tokens. */
export interface TokenRow {
  readonly id: string;
  readonly secret_sha256: Buffer;
  readonly name: string;
  readonly tags: readonly string[];
  readonly bind_host: boolean;
  readonly forwarder: boolean;
  readonly known_agents: boolean;
  readonly uses_max: number | null;
  readonly uses: number;
  readonly expires_at: Date | null;
  readonly created_at: Date;
  readonly revoked_at: Date | null;
}

/** Tells a token from a key by its first letters. */
const PREFIX = 'enroll-';
const ID_BYTES = 9;
const SECRET_BYTES = 32;

/** Makes a token. */
export async function addToken(sql: Sql, policy: TokenPolicy, actor: string): Promise<NewToken> {
  const id = PREFIX + randomBytes(ID_BYTES).toString('base64url');
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  const digest = createHash('sha256').update(secret).digest();
  const { name, tags, forwarder, knownAgents, usesMax, expiresAt } = policy;
  await sql.begin(async (transaction) => {
    await transaction`
      insert into enrolment_tokens
        (id, secret_sha256, name, tags, bind_host, forwarder, known_agents, uses_max, expires_at)
      values (${id}, ${digest}, ${name}, ${[...tags]}, ${!forwarder}, ${forwarder}, ${knownAgents},
        ${usesMax ?? null}, ${expiresAt ?? null})`;
    await audit(transaction, {
      ...{ actor, action: 'token.add', subject: id },
      detail: {
        ...{ name, tags, forwarder, known_agents: knownAgents },
        ...{ uses_max: usesMax ?? null, expires_at: expiresAt?.toISOString() ?? null },
      },
    });
  });
  return { id, encoded: `${id}:${secret}` };
}

/** All tokens, oldest first. */
export async function listTokens(sql: Sql, nowMs = Date.now()): Promise<readonly ListedToken[]> {
  const rows = await sql<TokenRow[]>`select * from enrolment_tokens order by created_at, id`;
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    tags: row.tags,
    forwarder: row.forwarder,
    knownAgents: row.known_agents,
    uses: row.uses,
    createdAt: row.created_at,
    state: tokenState(row, nowMs),
    ...(row.uses_max === null ? {} : { usesMax: row.uses_max }),
    ...(row.expires_at === null ? {} : { expiresAt: row.expires_at }),
  }));
}

/** Refuses a token from now on; false if there is none of that id. */
export async function revokeToken(sql: Sql, id: string, actor: string): Promise<boolean> {
  return await sql.begin(async (transaction) => {
    const rows = await transaction`
      update enrolment_tokens set revoked_at = coalesce(revoked_at, now()) where id = ${id} returning id`;
    if (rows.length > 0) await audit(transaction, { actor, action: 'token.revoke', subject: id });
    return rows.length > 0;
  });
}

/** Whether a token can be used, and why not. */
export function tokenState(row: TokenRow, nowMs: number): TokenState {
  if (row.revoked_at !== null) return 'revoked';
  if (row.expires_at !== null && row.expires_at.getTime() <= nowMs) return 'expired';
  return row.uses_max !== null && row.uses >= row.uses_max ? 'used up' : 'valid';
}

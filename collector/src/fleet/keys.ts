/**
 * Takes `id:secret`, gives the key and the agent that it belongs to. Table agent_keys.
 * Keeps: a secret is stored as its SHA-256 only (32 random bytes need no slow hash), compared in constant time, for unknown ids
 * too; a key belongs to the first agent that used it; a revocation is in force after seconds in every collector (key-cache.ts); a
 * key that supersedes others ends them by its first use.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ISql, Sql } from 'postgres';
import { audit } from './audit.ts';
import { createKeyCache } from './key-cache.ts';

/** A key that may be used. */
export interface Key {
  readonly id: string;
  readonly name: string;
  /** The agent that it is bound to; absent before its first use. */
  readonly agentId?: string;
  /** Computers whose events it may send, in lower case; absent = any. */
  readonly hosts?: readonly string[];
}

/** A key as it is listed; there is no way back to its secret. */
export interface ListedKey extends Key {
  readonly createdAt: Date;
  /** Exact to the minute. */
  readonly lastUsedAt?: Date;
  readonly revokedAt?: Date;
}

/** A key as it is shown once. */
export interface NewKey {
  readonly id: string;
  readonly secret: string;
  /** `id:secret`, as it stands in the agent's config. */
  readonly encoded: string;
}

export interface KeyOptions {
  readonly name?: string;
  /** The agent that it is for; absent = the first that uses it. */
  readonly agentId?: string;
  readonly hosts?: readonly string[];
  /** Its first use revokes the agent's other keys. */
  readonly supersedes?: boolean;
  /** The enrolment token that it is given for. */
  readonly tokenId?: string;
  /** The key whose place it takes. */
  readonly rotates?: string;
}

export interface KeyStore {
  /** The key, or undefined if id or secret are wrong or it is revoked. Rejects when PostgreSQL cannot be asked. */
  authenticate(id: string, secret: string): Promise<Key | undefined>;
  /** Computers whose events the key may send, as the table has it now: a change is seconds old elsewhere. */
  hostsNow(id: string): Promise<readonly string[] | undefined>;
  /** Whether a key of this id was seen lately, right or wrong; asks nobody. */
  seenLately(id: string): boolean;
  create(options: KeyOptions): Promise<NewKey>;
  /** All keys, oldest first. */
  list(): Promise<readonly ListedKey[]>;
  /** False if there is no such key. Revoking twice changes nothing. */
  revoke(id: string): Promise<boolean>;
  /** Binds an unbound key; two agents that try at once cannot both win. */
  bind(keyId: string, agentId: string): Promise<'bound' | 'other_agent'>;
}

interface Row {
  readonly id: string;
  readonly secret_sha256: Buffer;
  readonly agent_id: string | null;
  readonly name: string;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
  readonly revoked_at: Date | null;
  readonly hosts: readonly string[] | null;
  readonly supersedes: boolean;
  /** Superseded: good until then. */
  readonly ends_at: Date | null;
}

const ID_BYTES = 9;
const SECRET_BYTES = 32;
const LAST_USED_MS = 60_000;
/** Requests under the key before may still be on their way when the new one is used first. */
const SUPERSEDED_GRACE_MS = 30_000;
/** Stands in for the digest of a key that does not exist, so that both cases take the same time. */
const NO_DIGEST = randomBytes(32);

/** Makes the store. `now` is Unix milliseconds, for tests. */
export function createKeyStore(sql: Sql, now: () => number = Date.now): KeyStore {
  const cache = createKeyCache<Row>(
    async (ids) => await sql<Row[]>`select * from agent_keys where id = any(${[...ids]})`,
    now,
  );

  /** Notes the use, at most once a minute, so that a busy agent does not write with every chunk. */
  async function noteUse(row: Row): Promise<void> {
    if (row.supersedes) return await supersede(row);
    if (row.last_used_at !== null && now() - row.last_used_at.getTime() < LAST_USED_MS) return;
    const [used] = await sql<Row[]>`
      update agent_keys set last_used_at = ${new Date(now())} where id = ${row.id} returning *`;
    if (used !== undefined) cache.put(used);
  }

  async function supersede(row: Row): Promise<void> {
    const usedAt = new Date(now());
    await sql.begin((transaction) => endOthers(transaction, row, usedAt));
    cache.put({ ...row, supersedes: false, last_used_at: usedAt });
  }

  return {
    async authenticate(id, secret) {
      const row = isStorable(id) ? await cache.read(id) : undefined;
      const right = timingSafeEqual(sha256(secret), row?.secret_sha256 ?? NO_DIGEST);
      if (!right || row === undefined || isRevoked(row, now())) return undefined;
      await noteUse(row);
      return keyOf(row);
    },
    async hostsNow(id) {
      cache.forget(id);
      return (await cache.read(id))?.hosts ?? undefined;
    },
    seenLately: cache.seenLately,
    create: async (options) => await insertKey(sql, options),
    async list() {
      const rows = await sql<Row[]>`select * from agent_keys order by created_at, id`;
      return rows.map((row) => ({
        ...keyOf(row),
        createdAt: row.created_at,
        ...(row.last_used_at === null ? {} : { lastUsedAt: row.last_used_at }),
        ...revokedAt(row),
      }));
    },
    async revoke(id) {
      cache.forget(id);
      const revoked = await sql`
        update agent_keys set revoked_at = coalesce(revoked_at, now()) where id = ${id} returning id`;
      cache.forget(id);
      return revoked.length > 0;
    },
    async bind(keyId, agentId) {
      const [row] = await sql<Row[]>`
        update agent_keys set agent_id = ${agentId}
        where id = ${keyId} and (agent_id is null or agent_id = ${agentId}) returning *`;
      if (row === undefined) {
        cache.forget(keyId);
        return 'other_agent';
      }
      // A key made by hand for an agent that was revoked takes it in again.
      await sql`update agents set revoked_at = null where id = ${agentId} and revoked_at is not null`;
      cache.put(row);
      return 'bound';
    },
  };
}

/** Makes a key in the transaction of a larger change. */
export async function insertKey(sql: ISql, options: KeyOptions): Promise<NewKey> {
  const { name = '', agentId, hosts, supersedes = false, tokenId, rotates } = options;
  const id = randomId();
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  await sql`
    insert into agent_keys (id, secret_sha256, agent_id, name, hosts, supersedes, token_id, rotates)
    values (${id}, ${sha256(secret)}, ${agentId ?? null}, ${name},
      ${hosts === undefined ? null : [...hosts]}, ${supersedes}, ${tokenId ?? null},
      ${rotates ?? null})`;
  return { id, secret, encoded: `${id}:${secret}` };
}

/** The first use of a key that supersedes the agent's others. Several collectors may see it at once: one does it. */
async function endOthers(sql: ISql, row: Row, usedAt: Date): Promise<void> {
  // The same order as where a key is rotated: agent, then its keys.
  await sql`select from agents where id = ${row.agent_id} for update`;
  const [mine] = await sql`
    update agent_keys set supersedes = false, last_used_at = ${usedAt}
    where id = ${row.id} and supersedes returning id`;
  if (mine === undefined || row.agent_id === null) return;
  await sql`update agents set rotate_asked_at = null where id = ${row.agent_id}`;
  const end = new Date(usedAt.getTime() + SUPERSEDED_GRACE_MS);
  const ended = await sql<{ id: string }[]>`
    update agent_keys set ends_at = ${end}
    where agent_id = ${row.agent_id} and id <> ${row.id} and revoked_at is null and ends_at is null
    returning id`;
  await audit(sql, {
    ...{ actor: `agent:${row.agent_id}`, action: 'key.supersede', subject: row.id },
    detail: { agent_id: row.agent_id, revoked: ended.map((one) => one.id) },
  });
}

/** A revocation is never late, whatever the clocks say; a superseded key has an end. */
function isRevoked(row: Row, nowMs: number): boolean {
  return row.revoked_at !== null || (row.ends_at !== null && row.ends_at.getTime() <= nowMs);
}

function revokedAt({ revoked_at: at, ends_at: end }: Row): { revokedAt?: Date } {
  const when = at ?? end;
  return when === null ? {} : { revokedAt: when };
}

function keyOf(row: Row): Key {
  return {
    id: row.id,
    name: row.name,
    ...(row.agent_id === null ? {} : { agentId: row.agent_id }),
    ...(row.hosts === null ? {} : { hosts: row.hosts }),
  };
}

/** Ids are ours: anything else is not worth a question to the table. */
function isStorable(id: string): boolean {
  return /^[\w-]{1,64}$/.test(id);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Never begins with a dash: a command line would take such an id for an option. */
export function randomId(): string {
  for (;;) {
    const id = randomBytes(ID_BYTES).toString('base64url');
    if (!id.startsWith('-')) return id;
  }
}

/**
 * Takes a change of the fleet, writes down who made it. Table audit_log.
 * Keeps: written in the transaction of the change, so that there is never one without the other; never holds a secret.
 */
import type { ISql, JSONValue, Sql, TransactionSql } from 'postgres';

/** A client, or one inside a transaction. */
export type Db = Sql | TransactionSql;

export interface AuditEntry {
  /** `cli:<account>@<host>`, `agent:<id>` or `collector`. */
  readonly actor: string;
  /** e.g. `token.add`. */
  readonly action: string;
  /** Id of the token, key or agent. */
  readonly subject: string;
  readonly detail?: Readonly<Record<string, JSONValue>>;
}

export interface ListedAudit extends Required<AuditEntry> {
  readonly at: Date;
}

/** Writes an entry. */
export async function audit(sql: ISql, entry: AuditEntry): Promise<void> {
  const { actor, action, subject, detail = {} } = entry;
  await sql`
    insert into audit_log (actor, action, subject, detail)
    values (${actor}, ${action}, ${subject}, ${sql.json(detail)})`;
}

/** The last changes, newest first; of one token, key or agent where `subject` is given. */
export async function listAudit(
  sql: ISql,
  options: { readonly limit: number; readonly subject?: string },
): Promise<readonly ListedAudit[]> {
  const { limit, subject = null } = options;
  return await sql<ListedAudit[]>`
    select at, actor, action, subject, detail from audit_log
    where ${subject}::text is null or subject = ${subject} or detail->>'agent_id' = ${subject}
    order by id desc limit ${limit}`;
}

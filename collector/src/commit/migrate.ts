/**
 * Takes the numbered SQL files of `collector/migrations`, brings a database to their state, gives the names of those applied.
 * Keeps: one transaction a file, under an advisory lock, so that two collectors that start at once do not meet;
 * an applied file never changes (its SHA-256 is kept); a database that is newer than the program is left alone.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Sql, TransactionSql } from './database.ts';

/** Folder of the migrations that the program ships with. */
export const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../migrations/', import.meta.url));

/** A database and a program that do not belong together. The message says which file and what to do. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

interface Migration {
  /** File name, e.g. `0001_spine.sql`; the number decides the order. */
  readonly name: string;
  readonly text: string;
  readonly sha256: string;
}

interface Applied {
  readonly name: string;
  readonly sha256: string;
}

const FILE_NAME = /^\d{4}_[a-z0-9_]+\.sql$/;
const LOCK = 'launchbeat.migrations';
/** SQLSTATE. */
const INSUFFICIENT_PRIVILEGE = '42501';

/** Applies what is missing, in order; gives the names of what was applied. Throws MigrationError and leaves the rest as it was. */
export async function migrate(sql: Sql, folder: string = MIGRATIONS_FOLDER): Promise<string[]> {
  // Nothing to do needs no right to do it: a collector that may not make tables starts on tables that are there.
  const pending = await pendingMigrations(sql, folder);
  if (pending.length === 0) return [];
  try {
    return await applyAll(sql, readMigrations(folder));
  } catch (cause) {
    const { code } = ((cause as Error).cause ?? cause) as { readonly code?: unknown };
    if (code !== INSUFFICIENT_PRIVILEGE) throw cause;
    throw new MigrationError(
      `Database lacks ${pending.join(', ')}, and this role may not make tables. Run launchbeat-collector setup with postgresql.setup_url.`,
      { cause },
    );
  }
}

async function applyAll(sql: Sql, migrations: readonly Migration[]): Promise<string[]> {
  const applied: string[] = [];
  await sql.begin(async (transaction) => {
    await lock(transaction);
    await transaction`
      create table if not exists schema_migrations (
        name       text primary key,
        sha256     text not null,
        applied_at timestamptz not null default now()
      )`;
    compare(migrations, await appliedOf(transaction));
  });
  for (const migration of migrations) {
    if (await apply(sql, migration)) applied.push(migration.name);
  }
  return applied;
}

/** Names of migrations that the database does not have yet. Throws MigrationError as `migrate` does; changes nothing. */
export async function pendingMigrations(
  sql: Sql,
  folder: string = MIGRATIONS_FOLDER,
): Promise<string[]> {
  const migrations = readMigrations(folder);
  const [there] = await sql<{ there: boolean }[]>`
    select to_regclass('schema_migrations') is not null as there`;
  const applied = there?.there === true ? await appliedOf(sql) : [];
  compare(migrations, applied);
  const names = new Set(applied.map((one) => one.name));
  return migrations.map((one) => one.name).filter((name) => !names.has(name));
}

async function lock(sql: TransactionSql): Promise<void> {
  // A transaction's lock, not a session's: it also works through a pooler and ends with the connection.
  await sql`select pg_advisory_xact_lock(hashtextextended(${LOCK}, 0))`;
}

async function appliedOf(sql: Sql | TransactionSql): Promise<readonly Applied[]> {
  return await sql<Applied[]>`select name, sha256 from schema_migrations order by name`;
}

/** True if this call applied it; false if another process was faster. */
async function apply(sql: Sql, migration: Migration): Promise<boolean> {
  return await sql.begin(async (transaction) => {
    await lock(transaction);
    const [there] = await transaction`
      select from schema_migrations where name = ${migration.name}`;
    if (there !== undefined) return false;
    await runFile(transaction, migration);
    await transaction`
      insert into schema_migrations (name, sha256) values (${migration.name}, ${migration.sha256})`;
    return true;
  });
}

async function runFile(transaction: TransactionSql, migration: Migration): Promise<void> {
  try {
    // A migration may take its time; a large table is no fault.
    await transaction`set local statement_timeout = 0`;
    await transaction.unsafe(migration.text).simple();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MigrationError(
      `Migration ${migration.name} failed: ${reason}. Nothing of it was applied; mend the cause and start again.`,
      { cause },
    );
  }
}

/** Throws where the database has what the program has not, or has it differently. */
function compare(migrations: readonly Migration[], applied: readonly Applied[]): void {
  const known = new Map(migrations.map((one) => [one.name, one.sha256]));
  const unknown = applied.filter((one) => !known.has(one.name)).map((one) => one.name);
  if (unknown.length > 0) {
    throw new MigrationError(
      `Database is newer than this program: it has ${unknown.join(', ')}. Start the newer collector, or restore a backup.`,
    );
  }
  const changed = applied.filter((one) => known.get(one.name) !== one.sha256);
  if (changed.length > 0) {
    throw new MigrationError(
      `Migration ${changed.map((one) => one.name).join(', ')} was changed after it was applied. ` +
        'Restore the file as it was, and write the change as a new migration.',
    );
  }
}

function readMigrations(folder: string): Migration[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  const odd = names.filter((name) => !FILE_NAME.test(name));
  if (odd.length > 0) {
    throw new MigrationError(
      `Migration ${odd.join(', ')} in ${folder} has no name such as 0002_what_it_does.sql. Rename it.`,
    );
  }
  return names.map((name) => {
    // A checkout on Windows may have CRLF: the same migration all the same.
    const text = readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n');
    return { name, text, sha256: createHash('sha256').update(text).digest('hex') };
  });
}

/**
 * Takes the superuser's URL, makes the collector's role and database.
 * Keeps: the role owns its database and nothing else; nobody else may connect to that database.
 */
import { openDatabase } from '../../collector/src/commit/database.ts';

export interface DatabaseSettings {
  /** Of the superuser, to any database but the collector's. */
  readonly superuserUrl: string;
  /** Of the collector's role. */
  readonly password: string;
  /** Name of role and database; default `launchbeat`, as in docker/collector.yml. */
  readonly name?: string;
}

const NAME = 'launchbeat';

/** Makes what is missing, sets the password that is in force; says what it did. Throws where the superuser is refused. */
export async function ensureDatabase(settings: DatabaseSettings): Promise<string> {
  const name = settings.name ?? NAME;
  const sql = openDatabase({ url: settings.superuserUrl, connections_max: 2 });
  try {
    const [there] = await sql<{ role: boolean; database: boolean }[]>`
      select exists (select from pg_roles where rolname = ${name}) as role,
             exists (select from pg_database where datname = ${name}) as database`;
    if (there?.role !== true) await sql`create role ${sql(name)}`;
    // Identifier and literal are quoted by the server; ALTER ROLE takes no parameters.
    const [alter] = await sql<{ statement: string }[]>`
      select format('alter role %I login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password %L',
                    ${name}::text, ${settings.password}::text) as statement`;
    await sql.unsafe(alter?.statement ?? '');
    if (there?.database !== true) await sql`create database ${sql(name)}`;
    await sql`alter database ${sql(name)} owner to ${sql(name)}`;
    await sql`revoke all on database ${sql(name)} from public`;
    const made = there?.database === true ? 'is there' : 'made';
    return `database and role ${name} ${made}, password as in .env.`;
  } catch (cause) {
    throw new Error(`PostgreSQL: ${explain(cause)}`, { cause });
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** The server's message has no secret; the statement that failed may have one, so it is left out. */
function explain(cause: unknown): string {
  const { code, message } = cause as { code?: string; message?: string };
  // invalid_password (PostgreSQL's Appendix A)
  return code === '28P01'
    ? 'the superuser is refused. POSTGRES_PASSWORD counts at the first start only; put the one of that day into docker/.env, or change it with ALTER ROLE.'
    : `${message ?? String(cause)} (${code ?? 'no code'}). See: docker compose logs postgresql`;
}

/**
 * Takes a database, makes its three roles: `<database>_owner` has the tables, `_writer` is what a collector needs to run, `_reader`
 * what people need to look. They cannot sign in; logins are made members of them.
 * Keeps: running it again changes nothing but what somebody took away or added; whoever runs the collector can neither change the
 * tables nor an event, and a reader sees events and no key.
 */
import type { Sql, TransactionSql } from './database.ts';

export interface RoleNames {
  readonly owner: string;
  readonly writer: string;
  readonly reader: string;
}

type Db = Sql | TransactionSql;

/** A table or view of the schema. */
export interface Relation {
  readonly name: string;
  readonly view: boolean;
  readonly partition: boolean;
}

/** The views for people; see migrations/0005_people.sql. */
const READABLE = ['events', 'launches', 'last_seen', 'first_seen', 'daily_counts'];
/** What the writer may do with a table, where it is less than all. */
const WRITABLE: Readonly<Record<string, readonly string[]>> = {
  events: ['select', 'insert'],
  // The janitor takes single rows out of it; whole days go by drop_events_partition().
  events_other_days: ['select', 'delete'],
  audit_log: ['select', 'insert', 'delete'],
  schema_migrations: ['select'],
};

/** The names for a database. Roles are the whole server's, so the database's name stands in them. */
export function roleNames(database: string): RoleNames {
  return { owner: `${database}_owner`, writer: `${database}_writer`, reader: `${database}_reader` };
}

/** The owner role if it is there and whoever is signed in may act as it: what migrations are to be run as. */
export async function ownerRole(sql: Db): Promise<string | undefined> {
  const [row] = await sql<{ owner: string }[]>`
    select rolname as owner from pg_roles
    where rolname = current_database() || '_owner' and pg_has_role(current_user, oid, 'member')`;
  return row?.owner;
}

/**
 * Makes the roles that are missing and gives the tables that are there to the owner. Needs a superuser, or a role with CREATEROLE
 * that has the database; rejects with the server's words otherwise, and nothing is changed then.
 */
export async function ensureRoles(sql: Sql): Promise<RoleNames> {
  return await sql.begin(async (transaction) => {
    const [here] = await transaction<{ database: string; schema: string; mighty: boolean }[]>`
      select current_database() as database, current_schema() as schema, rolsuper as mighty
      from pg_roles where rolname = current_user`;
    if (here === undefined) throw new Error('PostgreSQL does not say who is signed in.');
    const { database, schema, mighty } = here;
    const names = roleNames(database);
    for (const name of Object.values(names)) {
      await makeRole(transaction, name);
    }
    if (!mighty) await run(transaction, 'grant %I to current_user', names.owner);
    await run(transaction, 'revoke all on database %I from public', database);
    for (const name of Object.values(names)) {
      await run(transaction, 'grant connect on database %I to %I', database, name);
      await run(transaction, 'grant usage on schema %I to %I', schema, name);
    }
    await run(transaction, 'revoke create on schema %I from public', schema);
    await run(transaction, 'grant create on schema %I to %I', schema, names.owner);
    await handOver(transaction, schema, names.owner);
    return names;
  });
}

/** Gives writer and reader their rights on the tables that are there, and no other. Run as the owner, after migrations. */
export async function grantRights(sql: Sql): Promise<void> {
  await sql.begin(async (transaction) => {
    const [here] = await transaction<{ database: string }[]>`select current_database() as database`;
    const { writer, reader } = roleNames(here?.database ?? '');
    for (const relation of await relations(transaction)) {
      const { name } = relation;
      await run(transaction, 'revoke all on %I from public, %I, %I', name, writer, reader);
      const rights = writerRights(relation).join(', ');
      if (rights !== '') await run(transaction, `grant ${rights} on %I to %I`, name, writer);
      if (READABLE.includes(name)) await run(transaction, 'grant select on %I to %I', name, reader);
    }
    await run(transaction, 'grant usage on sequence events_id_seq to %I', writer);
    await run(
      transaction,
      'grant execute on function ensure_events_partition(date), drop_events_partition(text) to %I',
      writer,
    );
  });
}

/** Tables and views of the schema. */
export async function relations(sql: Db): Promise<readonly Relation[]> {
  return await sql<Relation[]>`
    select relname as name, relkind = 'v' as view, relispartition as partition from pg_class
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p', 'v')`;
}

/** What a collector must be able to do with one of them. Partitions are reached through their table. */
export function writerRights({ name, view, partition }: Relation): readonly string[] {
  const own = WRITABLE[name];
  if (own !== undefined) return own;
  if (partition) return [];
  return view ? ['select'] : ['select', 'insert', 'update', 'delete'];
}

async function makeRole(sql: TransactionSql, name: string): Promise<void> {
  // Two at once: the second one waits here.
  await sql`select pg_advisory_xact_lock(hashtextextended('launchbeat.roles', 0))`;
  const there = await sql`select from pg_roles where rolname = ${name}`;
  if (there.length === 0) await run(sql, 'create role %I nologin', name);
}

/** Tables, views and functions of the schema, but not what belongs to an extension. Sequences go with their tables. */
async function handOver(sql: TransactionSql, schema: string, owner: string): Promise<void> {
  const statements = await sql<{ statement: string }[]>`
    select format('alter %s %I.%I owner to %I', case relkind when 'v' then 'view' else 'table' end, ${schema}::text, relname, ${owner}::text) as statement
    from pg_class
    where relnamespace = ${schema}::regnamespace and relkind in ('r', 'p', 'v') and pg_get_userbyid(relowner) <> ${owner}
      and not exists (select from pg_depend where objid = pg_class.oid and deptype = 'e')
    union all
    select format('alter function %s owner to %I', oid::regprocedure, ${owner}::text)
    from pg_proc
    where pronamespace = ${schema}::regnamespace and prokind = 'f' and pg_get_userbyid(proowner) <> ${owner}
      and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')`;
  for (const { statement } of statements) await sql.unsafe(statement);
}

/** Runs a statement whose names PostgreSQL itself quotes. */
async function run(sql: TransactionSql, form: string, ...names: readonly string[]): Promise<void> {
  const [row] = await sql<{ statement: string }[]>`
    select format(${form}::text, variadic ${[...names]}::text[]) as statement`;
  await sql.unsafe(row?.statement ?? '');
}

/**
 * Takes `postgresql:` of the config, gives the client that everything else shares.
 * Keeps: the one place that makes a client, so that time-outs, names and the pool are the same everywhere.
 */
import type postgresClient from 'postgres';
import { postgres } from './postgres-client.ts';
import type { PostgresqlConfig } from './postgresql-config.ts';

/** The client of PostgreSQL: a pool that opens connections when they are needed. */
export type Sql = postgresClient.Sql;
/** A client inside a transaction. */
export type TransactionSql = postgresClient.TransactionSql;

/** A part of a statement. */
export type SqlFragment = postgresClient.PendingQuery<postgresClient.Row[]>;

export type DatabaseOptions = Pick<PostgresqlConfig, 'url'> &
  Partial<Pick<PostgresqlConfig, 'connections_max'>> & {
    /** The role to act as; the one that signs in must be its member. */
    readonly role?: string | undefined;
  };

const CONNECT_TIMEOUT_S = 10;
const RECONNECT_DELAY_MIN_S = 0.02;
const RECONNECT_DELAY_MAX_S = 1;
/** A statement that runs longer hangs on something; the server ends it, so that its locks go. */
const STATEMENT_TIMEOUT_MS = 120_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;

/** Makes the client. Nothing is opened before the first query; `sql.end()` closes it. */
export function openDatabase(options: DatabaseOptions): Sql {
  return postgres(options.url, {
    max: options.connections_max ?? 10,
    connect_timeout: CONNECT_TIMEOUT_S,
    backoff: (attempt) => Math.min(RECONNECT_DELAY_MIN_S * 2 ** attempt, RECONNECT_DELAY_MAX_S),
    onnotice: () => undefined,
    connection: {
      application_name: 'launchbeat-collector',
      statement_timeout: STATEMENT_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
      TimeZone: 'UTC',
      ...(options.role === undefined ? {} : { role: options.role }),
    },
  });
}

/**
 * Takes an error of the client, tells whether trying again can help.
 * Source: PostgreSQL, appendix A (SQLSTATE); connection errors are the client's and Node's own codes.
 */

/** `again`: at once, the transaction met another one. `down`: later, the store cannot be used. `bug`: never. */
export type Fault = 'again' | 'down' | 'bug';

const AGAIN = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available
  '23514', // check_violation: a row's partition was made while it was on its way (see 0001_spine.sql)
]);

/** Connection (08), authorization (28), database absent (3D), resources (53), operator (57), system (58). */
const DOWN_CLASSES = new Set(['08', '28', '3D', '53', '57', '58']);

const DOWN = new Set([
  '25006', // read_only_sql_transaction: a standby, after a failover
  '25P03', // idle_in_transaction_session_timeout
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT', // socket file absent
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
]);

/** What kind of error it is. */
export function faultOf(error: unknown): Fault {
  const code = codeOf(error);
  if (AGAIN.has(code)) return 'again';
  return DOWN.has(code) || DOWN_CLASSES.has(code.slice(0, 2)) ? 'down' : 'bug';
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

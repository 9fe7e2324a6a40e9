/**
 * Takes work that one collector of all may do, gives it to the one that has the lock.
 * Keeps: the lock is that of an open transaction, so it ends with the connection, and the client says at once when that is lost.
 * The transaction writes nothing and holds no snapshot between its statements: it is in nobody's way.
 */
import { pause } from '@launchbeat/ecs-schemas/beat';
import type { Sql, TransactionSql } from '../commit/database.ts';

const LOCK = 'launchbeat.notify';
/** Well below the server's idle_in_transaction_session_timeout. */
const KEEP_ALIVE_MS = 5_000;

/**
 * Tries once to become the leader; if so, runs `lead` until it ends, `signal` is aborted or the connection is lost.
 * Gives whether it led. Rejects when PostgreSQL cannot be asked or went away.
 */
export async function leadOnce(
  sql: Sql,
  signal: AbortSignal,
  lead: (signal: AbortSignal) => Promise<void>,
): Promise<boolean> {
  /** Aborted when the transaction is over, and before that only by the loss of its connection. */
  const over = new AbortController();
  let leading: Promise<void> | undefined;
  try {
    return await sql.begin(async (transaction) => {
      const [row] = await unlessLost(
        async () =>
          await transaction<{ mine: boolean }[]>`
          select pg_try_advisory_xact_lock(hashtextextended(${LOCK}, 0)) as mine`,
      );
      if (row?.mine !== true) return false;
      leading = lead(AbortSignal.any([signal, over.signal]));
      await keepLock(transaction, leading, { stop: signal, lost: over.signal });
      if (over.signal.aborted) return await never();
      await leading;
      return over.signal.aborted ? await never() : true;
    });
  } finally {
    over.abort();
    await leading?.catch(() => undefined);
  }
}

/** Keeps the transaction from being idle for too long, until `leading` ends or one of the signals is aborted. Never rejects with its error. */
async function keepLock(
  transaction: TransactionSql,
  leading: Promise<void>,
  signals: { readonly stop: AbortSignal; readonly lost: AbortSignal },
): Promise<void> {
  let ended = false;
  const end = leading
    .catch(() => undefined)
    .finally(() => {
      ended = true;
    });
  const { stop, lost } = signals;
  while (!ended && !stop.aborted && !lost.aborted) {
    await Promise.race([end, pause(KEEP_ALIVE_MS, stop)]);
    if (ended || stop.aborted || lost.aborted) return;
    await unlessLost(async () => await transaction`select 1`);
  }
}

/**
 * postgres.js 3.4 ends a transaction whose function settles with a COMMIT or ROLLBACK even when the connection is gone, and
 * writing to the socket that is no more ends the process. sql.begin() itself rejects then, so the function need not settle.
 */
async function never(): Promise<never> {
  return await new Promise<never>(() => undefined);
}

/** 57P01 to 57P03: the server ends the session, and the connection with it. */
const LOST = /^(CONNECTION_|57P0)/;

async function unlessLost<T>(query: () => Promise<T>): Promise<T> {
  try {
    return await query();
  } catch (error) {
    if (LOST.test(String((error as { code?: unknown }).code))) return await never();
    throw error;
  }
}

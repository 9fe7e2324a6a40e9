/**
 * Gives the PostgreSQL client with its known faults around lost connections mended while it is loaded.
 * postgres 3.4.9, when a server is restarted in mid-transaction, throws where nobody can catch it (the collector would end), or
 * loses the place of that connection in the pool for good (the collector would hang). Source: porsager/postgres, issues 1154 and
 * 1208, pull request 1209; postgres-client.test.ts fails without the mends.
 * Keeps: the file is changed only where it is exactly the one with the faults; another version is taken as it is.
 */
import { registerHooks } from 'node:module';
import type postgresClient from 'postgres';

const FILE = /\/postgres\/src\/connection\.js$/;

/** What stands there, and what stands there instead. */
const MENDS: readonly (readonly [found: string, mended: string])[] = [
  [
    // A `rollback` for a connection that is gone: refused at once, and the connection stays where the pool can open it again.
    "    if (stream)\n      return queryError(q, Errors.generic('COPY_IN_PROGRESS'",
    `    if (!socket) {
      queryError(q, Errors.connection('CONNECTION_CLOSED', options))
      return true
    }
    if (stream)
      return queryError(q, Errors.generic('COPY_IN_PROGRESS'`,
  ],
  [
    // What was not written yet must not stand in front of the next connection's first words, nor hold them back.
    '    incomings = null\n    clearImmediate(nextWriteTimer)\n',
    '    incomings = null\n    clearImmediate(nextWriteTimer)\n    chunk = nextWriteTimer = null\n',
  ],
  [
    // A connection that dies while it asks for the array types: nobody holds that promise, and Node ends a process for it.
    '        return fetchArrayTypes()\n',
    '        fetchArrayTypes().catch(() => { needsTypes = true })\n        return\n',
  ],
  [
    // Queries that came between the socket's error and its close would wait for ever.
    '    !hadError && (query || sent.length) && error(',
    '    ;(query || sent.length) && error(',
  ],
];

/** The text with every mend, or as it is if one of them has no place. */
export function mendConnection(text: string): string {
  if (!MENDS.every(([found]) => text.split(found).length === 2)) return text;
  return MENDS.reduce((mended, [found, better]) => mended.replace(found, () => better), text);
}

const hooks = registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    if (!FILE.test(url) || loaded.source === undefined || loaded.source === null) return loaded;
    const { source } = loaded;
    const text =
      typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString('utf8');
    return { ...loaded, source: mendConnection(text) };
  },
});
const loaded = await import('postgres');
hooks.deregister();

/** Makes a client; see database.ts, the one place that does. */
export const postgres: typeof postgresClient = loaded.default;

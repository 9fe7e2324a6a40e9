/**
 * Gives the PostgreSQL client with one known fault mended while it is loaded.
 * postgres 3.4.9 writes to a connection that is gone (`rollback`, after the server was restarted in mid-transaction): an exception
 * that nobody can catch, so the whole collector would end. Source: porsager/postgres, issue 1208 and pull request 1209.
 * Keeps: the file is changed only where it is exactly the one with the fault; a version without it is taken as it is.
 */
import { registerHooks } from 'node:module';
import type postgresClient from 'postgres';

const FILE = /\/postgres\/src\/connection\.js$/;

/** What stands there, and what stands there instead. */
const MENDS: readonly (readonly [found: string, mended: string])[] = [
  [
    '    const x = socket.write(chunk, fn)\n',
    `    if (!socket) {
      chunk = nextWriteTimer = null
      error(Errors.connection('CONNECTION_CLOSED', options))
      return false
    }
    const x = socket.write(chunk, fn)
`,
  ],
  [
    // What was not written yet would stand in front of the next connection's first words.
    '    incomings = null\n    clearImmediate(nextWriteTimer)\n',
    '    incomings = null\n    clearImmediate(nextWriteTimer)\n    chunk = nextWriteTimer = null\n',
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
    const text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString('utf8');
    return { ...loaded, source: mendConnection(text) };
  },
});
const loaded = await import('postgres');
hooks.deregister();

/** Makes a client; see database.ts, the one place that does. */
export const postgres: typeof postgresClient = loaded.default;

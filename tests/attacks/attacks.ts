/**
 * What strangers and broken agents do to a collector, one after the other: how often, and which answers are right. `closed` stands for
 * a connection that was ended without an answer.
 */
import { randomBytes } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { apiKeyAuthorization, type Encoding } from '@launchbeat/ecs-schemas';
import { ROUTES } from '../../collector/src/http-routes.ts';
import { chunkHeaders } from '../support/collector-app.ts';
import { ndjsonLines, processStart } from '../support/documents.ts';
import { type Attack, agentAt, each } from './attack.ts';
import type { AttackSite } from './site.ts';
import { WIRE_ATTACKS } from './wire-attacks.ts';

const MIB = 1024 ** 2;

/** A chunk of these bytes, signed and counted as an agent would. */
function sendChunk(
  site: AttackSite,
  number: number,
  chunk: { readonly body: Uint8Array; readonly lines: number; readonly encoding?: Encoding },
): Promise<string> {
  const { body, lines, encoding = 'zstd' } = chunk;
  const headers = chunkHeaders(agentAt(site, number).key, body, body, { lines, encoding });
  return site.send({ headers, body });
}

const sendLines = (site: AttackSite, number: number, raw: Buffer, lines: number) =>
  sendChunk(site, number, { body: zstdCompressSync(raw), lines });

const zeros = Buffer.alloc(200 * MIB);
const BOMBS: Readonly<Record<string, () => { body: Buffer; encoding: Encoding }>> = {
  'zstd bombs, 200 MiB each': () => ({ body: zstdCompressSync(zeros), encoding: 'zstd' }),
  'gzip bombs, 200 MiB each': () => ({ body: gzipSync(zeros), encoding: 'gzip' }),
  'gzip in gzip, 200 MiB each': () => ({ body: gzipSync(gzipSync(zeros)), encoding: 'gzip' }),
};

const bombs: readonly Attack[] = Object.entries(BOMBS).map(([name, make]) => ({
  name,
  tries: 300,
  right: name.includes(' in ') ? ['400', '429', '503'] : ['413', '429', '503'],
  async run(site, tries) {
    const { body, encoding } = make();
    return await each(tries, (number) => sendChunk(site, number, { body, lines: 1, encoding }));
  },
}));

/** One line, one value, one depth too many. */
const LINES: Readonly<Record<string, () => readonly [raw: Buffer, lines: number]>> = {
  'one line of 60 MiB': () => [Buffer.alloc(60 * MIB, 'x').fill('\n', 60 * MIB - 1), 1],
  'JSON a million levels deep': () => [ndjsonLines(['['.repeat(1_000_000)]), 1],
  'a document with 10,000 names': () => {
    const names = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`field_${n}`, n]));
    return [ndjsonLines([processStart({ winlog: { event_data: names } as never })]), 1];
  },
  '10,000 lines of __proto__': () => [
    ndjsonLines(Array(10_000).fill('{"__proto__":{"polluted":true}}')),
    10_000,
  ],
  '10,000 empty lines': () => [Buffer.alloc(10_000, '\n'), 10_000],
};

const lines: readonly Attack[] = Object.entries(LINES).map(([name, make]) => ({
  name,
  tries: 100,
  right: ['200', '403', '422', '429', '503'],
  async run(site, tries) {
    const [body, count] = make();
    return await each(tries, (number) => sendLines(site, number, body, count));
  },
}));

const PATHS = [
  '//v1/chunks',
  '/v1//chunks',
  '/v1/chunks/',
  '/v1/chunks/..',
  '/v1/./chunks/../../etc/passwd',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/..%5c..%5cwindows%5cwin.ini',
  '/v1/chunks%00',
  '/v1/chunks%0d%0aX-Injected:%201',
  '/V1/CHUNKS',
  '/v1/chunks;jsessionid=1',
  '/.git/config',
  '/metrics/../v1/whoami/x',
  `/${'a'.repeat(8000)}`,
  '/%ff%fe',
  '/?%',
] as const;
const METHODS = ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'MKCOL', 'SEARCH'];

const requests: readonly Attack[] = [
  {
    name: 'methods that no path has',
    tries: 400,
    right: ['405'],
    run: (site, tries) =>
      each(tries, (number) =>
        site.send({
          method: METHODS[number % METHODS.length] ?? 'PUT',
          path: ROUTES[number % ROUTES.length]?.path ?? '/',
        }),
      ),
  },
  {
    name: 'paths that are tricks',
    tries: 800,
    right: ['400', '404', '405', '413', '401'],
    run: (site, tries) =>
      each(tries, (number) => {
        const method = number % 2 === 0 ? 'GET' : 'POST';
        return site.send({ method, path: PATHS[number % PATHS.length] ?? '/' });
      }),
  },
  {
    name: 'keys that are wrong',
    tries: 3000,
    right: ['401', '429'],
    wanted: ['401', '429'],
    run: (site, tries) =>
      each(tries, (number) => {
        const known = agentAt(site, number).key.id;
        const id = number % 3 === 0 ? known : `guess-${number}`;
        const authorization = apiKeyAuthorization(id, randomBytes(32).toString('base64url'));
        return site.send({ method: 'GET', path: '/v1/whoami', headers: { authorization } });
      }),
  },
  {
    name: "events of another agent under one's own key",
    tries: 200,
    right: ['403', '429', '503'],
    wanted: ['403'],
    run: (site, tries) => {
      const agent = { ...processStart({}).agent, id: '00000000-0000-4000-8000-000000000009' };
      const foreign = ndjsonLines([processStart({ agent })]);
      return each(tries, (number) => sendLines(site, number, foreign, 1));
    },
  },
  {
    name: 'bodies over 8 MiB',
    tries: 200,
    right: ['413', 'closed', '503'],
    run: (site, tries) => {
      const body = randomBytes(9 * MIB);
      return each(tries, (number) => sendChunk(site, number, { body, lines: 1 }), 16);
    },
  },
];

/** All of them, in the order of the page. */
export const ATTACKS: readonly Attack[] = [...bombs, ...lines, ...requests, ...WIRE_ATTACKS];

/**
 * What strangers and broken agents do to a collector, one after the other: how often, and which answers are right. `closed` stands for
 * a connection that was ended without an answer.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { apiKeyAuthorization, CHUNKS_PATH, type Encoding } from '@launchbeat/ecs-schemas';
import { ROUTES } from '../../collector/src/http-routes.ts';
import { chunkHeaders } from '../support/collector-app.ts';
import { ndjsonLines, processStart } from '../support/documents.ts';
import type { AttackSite } from './site.ts';

export interface Attack {
  readonly name: string;
  /** Tries of a whole run; a test makes fewer. */
  readonly tries: number;
  /** Answers that may come. */
  readonly right: readonly string[];
  /** Those of which each must come, so that the limit was reached. */
  readonly wanted?: readonly string[];
  /** Ends only when the collector's patience does: a test makes these side by side. */
  readonly slow?: boolean;
  run(site: AttackSite, tries: number): Promise<readonly string[]>;
}

const MIB = 1024 ** 2;
const AT_ONCE = 32;
const SLOW_LOOK_MS = 300;

/** So many at once, until all are done. */
async function each(
  tries: number,
  one: (number: number) => Promise<string>,
  atOnce = AT_ONCE,
): Promise<string[]> {
  const answers: string[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(atOnce, tries) }, async () => {
      for (let number = next++; number < tries; number = next++) answers.push(await one(number));
    }),
  );
  return answers;
}

const agentAt = (site: AttackSite, number: number) => {
  const agent = site.agents[number % site.agents.length];
  if (agent === undefined) throw new Error('The site has no agents.');
  return agent;
};

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

/** Writes to a connection as told, gives what comes back: the status, or `closed`. */
async function raw(
  site: AttackSite,
  kind: 'tls' | 'tcp',
  play: (socket: Socket, isOpen: () => boolean) => unknown,
): Promise<string> {
  const socket = site.socket(kind);
  const parts: Buffer[] = [];
  let open = true;
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      open = false;
      resolve();
    });
    socket.on('end', () => socket.destroy());
  });
  socket.on('data', (part) => parts.push(part));
  await Promise.race([
    closed,
    new Promise((resolve) => socket.once(kind === 'tls' ? 'secureConnect' : 'connect', resolve)),
  ]);
  await play(socket, () => open);
  await closed;
  return /^HTTP\/1\.1 (\d{3})/.exec(Buffer.concat(parts).toString('latin1'))?.[1] ?? 'closed';
}

/**
 * The first bytes of a TLS handshake, and no more. Without a byte a connection that the kernel dropped for want of room (the listen
 * backlog) would look open from here for ever.
 */
const beginHandshake = (socket: Socket): unknown => socket.write(Buffer.from([0x16, 0x03, 0x01]));

/** A chunk's head, with what comes behind its headers. */
function head(site: AttackSite, number: number, more: string): string {
  const body = zstdCompressSync(ndjsonLines([processStart()]));
  const headers = chunkHeaders(agentAt(site, number).key, body, body, { lines: 1 });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${CHUNKS_PATH} HTTP/1.1\r\nHost: localhost\r\n${lines.join('')}${more}`;
}

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

const wire: readonly Attack[] = [
  {
    name: 'headers of 64 KiB, one or a thousand',
    tries: 300,
    right: ['400', '431', 'closed'],
    run: (site, tries) =>
      each(tries, (number) =>
        raw(site, 'tls', (socket) => {
          const many = Array.from({ length: 1000 }, (_, n) => `X-${n}: ${'y'.repeat(60)}\r\n`);
          const flood = number % 2 === 0 ? `X: ${'y'.repeat(65_536)}\r\n` : many.join('');
          socket.write(`GET /healthz HTTP/1.1\r\nHost: localhost\r\n${flood}\r\n`);
        }),
      ),
  },
  {
    name: 'two lengths, or a length and chunks (smuggling)',
    tries: 200,
    right: ['400', 'closed'],
    run: (site, tries) =>
      each(tries, (number) =>
        raw(site, 'tls', (socket) => {
          const lengths = ['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n'];
          const second = lengths[number % 2] ?? '';
          socket.write(head(site, number, `Content-Length: 6\r\n${second}\r\n0\r\n\r\nG`));
        }),
      ),
  },
  {
    name: 'random bytes in the place of HTTP',
    tries: 500,
    right: ['400', 'closed'],
    run: (site, tries) =>
      each(tries, (number) =>
        raw(site, number % 2 === 0 ? 'tls' : 'tcp', (socket) => {
          socket.write(
            Buffer.concat([Buffer.from('\0'), randomBytes(1000), Buffer.from('\r\n\r\n')]),
          );
        }),
      ),
  },
  {
    name: 'a length that is more than the body, then silence',
    slow: true,
    tries: 300,
    right: ['408', 'closed'],
    wanted: ['408'],
    run: (site, tries) =>
      each(
        tries,
        (number) =>
          raw(site, 'tls', (socket) => {
            socket.write(head(site, number, 'Content-Length: 1000000\r\n\r\nshort'));
          }),
        tries,
      ),
  },
  {
    name: 'bodies that come a byte at a time',
    slow: true,
    tries: 300,
    right: ['408', 'closed'],
    wanted: ['408'],
    run: (site, tries) =>
      each(
        tries,
        (number) =>
          raw(site, 'tls', async (socket, isOpen) => {
            socket.write(head(site, number, 'Content-Length: 100000\r\n\r\n'));
            for (; isOpen(); await pause(SLOW_LOOK_MS)) socket.write('x');
          }),
        tries,
      ),
  },
  {
    name: 'headers that come a byte at a time',
    slow: true,
    tries: 300,
    right: ['408', 'closed'],
    run: (site, tries) =>
      each(
        tries,
        () =>
          raw(site, 'tls', async (socket, isOpen) => {
            socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
            for (; isOpen(); await pause(SLOW_LOOK_MS)) socket.write('x');
          }),
        tries,
      ),
  },
  {
    name: 'connections that never finish the TLS handshake',
    slow: true,
    tries: 1000,
    right: ['closed'],
    run: (site, tries) => each(tries, () => raw(site, 'tcp', beginHandshake), tries),
  },
  {
    name: 'connections with TLS that say nothing',
    slow: true,
    tries: 500,
    right: ['408', 'closed'],
    run: (site, tries) => each(tries, () => raw(site, 'tls', () => undefined), tries),
  },
  {
    name: 'more connections than one address may have',
    slow: true,
    tries: 3000,
    right: ['closed', '408'],
    run: (site, tries) => each(tries, () => raw(site, 'tcp', beginHandshake), tries),
  },
];

/** All of them, in the order of the page. */
export const ATTACKS: readonly Attack[] = [...bombs, ...lines, ...requests, ...wire];

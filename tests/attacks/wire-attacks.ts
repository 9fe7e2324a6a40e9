/**
 * Attacks below HTTP: connections, handshakes, headers and bodies that are wrong, slow or never end.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { zstdCompressSync } from 'node:zlib';
import { CHUNKS_PATH } from '@launchbeat/ecs-schemas';
import { chunkHeaders } from '../support/collector-app.ts';
import { ndjsonLines, processStart } from '../support/documents.ts';
import { type Attack, agentAt, each } from './attack.ts';
import type { AttackSite } from './site.ts';

const SLOW_LOOK_MS = 300;

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

/** In the order of the page. */
export const WIRE_ATTACKS: readonly Attack[] = [
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

/**
 * Goal: messages take the way through a proxy, with and without a password, and a proxy that refuses says why without showing one.
 * Method: a small HTTP proxy and a small SOCKS5 proxy of the test's own, the strict stand-in of the Bot API behind them.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer, get } from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { startTelegram } from '../../../tests/support/telegram.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { initCertificates } from '../certificates/init-certificates.ts';
import { createBots } from './create-bots.ts';
import { createProxyAgent } from './proxy-agent.ts';
import { telegramConfigSchema } from './telegram-config.ts';

const USER = 'robot';
const PASSWORD = 'p@ss:word';

/** Host and port that were asked for. */
type Asked = string[];

async function listening(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function joinSockets(one: Socket, two: Socket): void {
  one.pipe(two);
  two.pipe(one);
  for (const socket of [one, two]) socket.on('error', () => undefined);
}

async function httpProxy(
  t: TestContext,
  password?: string,
): Promise<{ port: number; asked: Asked }> {
  const asked: Asked = [];
  const server = createHttpServer();
  server.on('connect', (request, socket: Socket) => {
    const wanted = `Basic ${Buffer.from(`${USER}:${password}`).toString('base64')}`;
    if (password !== undefined && request.headers['proxy-authorization'] !== wanted) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    asked.push(request.url ?? '');
    const [, port] = (request.url ?? '').split(':');
    const target = connect(Number(port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      joinSockets(socket, target);
    });
    target.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
  });
  return { port: await listening(t, server), asked };
}

/** RFC 1928 and 1929, for names only. */
async function socksProxy(
  t: TestContext,
  password?: string,
): Promise<{ port: number; asked: Asked }> {
  const asked: Asked = [];
  const hello = (socket: Socket, bytes: Buffer): void => {
    const method = password === undefined ? 0 : 2;
    const offered = [...bytes.subarray(2)];
    socket.write(Buffer.from([5, offered.includes(method) ? method : 255]));
    socket.once('data', (next: Buffer) => (method === 0 ? open : login)(socket, next));
  };
  const login = (socket: Socket, bytes: Buffer): void => {
    const [, nameLength = 0] = bytes;
    const name = bytes.subarray(2, 2 + nameLength).toString();
    const given = bytes.subarray(3 + nameLength).toString();
    // In two pieces: a reader must wait for both.
    socket.write(Buffer.from([1]));
    setImmediate(() => socket.write(Buffer.from([name === USER && given === password ? 0 : 1])));
    socket.once('data', (next: Buffer) => open(socket, next));
  };
  const open = (socket: Socket, bytes: Buffer): void => {
    const length = bytes[4] ?? 0;
    const port = bytes.readUInt16BE(5 + length);
    asked.push(`${bytes.subarray(5, 5 + length).toString()}:${port}`);
    const target = connect(port, '127.0.0.1', () => {
      socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
      joinSockets(socket, target);
    });
    target.on('error', () => socket.end(Buffer.from([5, 5, 0, 1, 0, 0, 0, 0, 0, 0])));
  };
  const server = createServer((socket) => {
    socket.once('data', (bytes: Buffer) => hello(socket, bytes));
  });
  return { port: await listening(t, server), asked };
}

const authority = (port: number, password?: string): string =>
  `${password === undefined ? '' : `${USER}:${encodeURIComponent(password)}@`}127.0.0.1:${port}`;

async function botThrough(t: TestContext, proxy: string, host = 'telegram.invalid') {
  const telegram = await startTelegram({ chats: [{ id: 1, type: 'private' }] });
  t.after(async () => telegram.stop());
  const port = new URL(telegram.url).port;
  const config = telegramConfigSchema.parse({
    ...{ token: telegram.token, api_root: `http://${host}:${port}`, proxy, timeout: '5s' },
  });
  const { bot } = createBots(config as typeof config & { token: string });
  return { telegram, bot, place: `${host}:${port}` };
}

const HELLO = { text: 'hello', mode: 'HTML' } as const;
const NEVER = new AbortController().signal;

for (const password of [undefined, PASSWORD]) {
  const how = password === undefined ? 'without a password' : 'with a password';
  test(`HTTP ${how}: the name is looked up by the proxy`, async (t) => {
    const { port, asked } = await httpProxy(t, password);
    const { bot, telegram, place } = await botThrough(t, `http://${authority(port, password)}`);
    assert.equal((await bot.send('1', HELLO, NEVER)).outcome, 'done');
    const bytes = Buffer.from('a;b\n');
    const file = { name: 'list.csv', bytes, caption: 'list' };
    assert.equal((await bot.document('1', file, NEVER)).outcome === 'refused', false);
    assert.equal(telegram.messages()[0]?.text, 'hello');
    assert.deepEqual([...new Set(asked)], [place]);
  });

  test(`SOCKS5 ${how}: the name is looked up by the proxy`, async (t) => {
    const { port, asked } = await socksProxy(t, password);
    const { bot, telegram, place } = await botThrough(t, `socks5://${authority(port, password)}`);
    assert.equal((await bot.send('1', HELLO, NEVER)).outcome, 'done');
    assert.equal(telegram.messages()[0]?.text, 'hello');
    assert.deepEqual([...new Set(asked)], [place]);
  });
}

test('TLS goes through both kinds, with the name of the server and not of the proxy', async (t) => {
  const folder = temporaryFolder(t);
  await initCertificates({ folder, hosts: ['telegram.invalid'] });
  const [ca, , cert, key] = ['ca.crt', 'ca.key', 'server.crt', 'server.key'].map((name) =>
    readFileSync(join(folder, name)),
  );
  const names: string[] = [];
  const server = createHttpsServer({ cert, key }, (request, response) => {
    names.push((request.socket as TLSSocket).servername as string);
    response.end('hello');
  });
  const port = await listening(t, server);
  const root = `https://telegram.invalid:${port}`;
  for (const proxy of [
    `http://127.0.0.1:${(await httpProxy(t)).port}`,
    `socks5://127.0.0.1:${(await socksProxy(t)).port}`,
  ]) {
    const agent = createProxyAgent(proxy, root, 5000);
    const asked = get(root, { agent, ca });
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.setEncoding('utf8');
    const [text] = (await once(response, 'data')) as [string];
    assert.equal(text, 'hello');
    agent.destroy();
    // Who is not who it says is refused.
    const strange = createProxyAgent(proxy, root, 5000);
    await assert.rejects(once(get(root, { agent: strange }), 'response'), /certificate/);
  }
  assert.deepEqual(names, ['telegram.invalid', 'telegram.invalid']);
});

for (const [scheme, proxyOf, code] of [
  ['http', httpProxy, 'PROXY_HTTP_407'],
  ['socks5', socksProxy, 'PROXY_PASSWORD'],
] as const) {
  test(`${scheme}: a wrong password is told by a code, never shown, and tried again`, async (t) => {
    const { port } = await proxyOf(t, PASSWORD);
    const { bot } = await botThrough(t, `${scheme}://${authority(port, 'secret-wrong')}`);
    const sent = await bot.send('1', HELLO, NEVER);
    assert.equal(sent.outcome, 'retry');
    assert.match(JSON.stringify(sent), new RegExp(code));
    assert.ok(!JSON.stringify(sent).includes('secret-wrong'));
  });
}

test('a proxy that is away, or speaks something else, is a network fault', async (t) => {
  const { port } = await httpProxy(t);
  const { bot } = await botThrough(t, `socks5://127.0.0.1:${port}`);
  assert.match(JSON.stringify(await bot.send('1', HELLO, NEVER)), /retry.*PROXY_/);
  const { bot: other } = await botThrough(t, 'http://127.0.0.1:1');
  assert.match(JSON.stringify(await other.send('1', HELLO, NEVER)), /retry.*ECONNREFUSED/);
});

for (const proxy of ['ftp://x:1', 'proxy.example:1080', 'http://x:1/path', 'socks4://x:1']) {
  test(`${proxy} is no proxy`, () => {
    const parsed = telegramConfigSchema.safeParse({ proxy });
    assert.match(JSON.stringify(parsed.error?.issues), /Expected http:/);
  });
}

/**
 * Takes the URL of a proxy, gives an agent whose connections go through it: HTTP (CONNECT) or SOCKS5.
 * Keeps: names are looked up by the proxy, since they may be blocked here; neither its URL nor its password is in an error.
 * Source: RFC 9110 9.3.6 (CONNECT), RFC 1928 (SOCKS5), RFC 1929 (user name and password).
 */
import { Agent as HttpAgent, request } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

interface Target {
  readonly host: string;
  readonly port: number;
}

type Settle = (error: Error | null, socket?: Socket) => void;

/** Makes the agent for requests to `apiRoot`. `timeoutMs` is for the way to the proxy and through it. */
export function createProxyAgent(
  proxy: string,
  apiRoot: string,
  timeoutMs: number,
): HttpAgent | HttpsAgent {
  const url = new URL(proxy);
  const isTls = apiRoot.startsWith('https:');
  const agent = isTls ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  const tunnel = url.protocol === 'http:' ? httpTunnel : socksTunnel;
  const createConnection = (options: Target & { servername?: string }, settle: Settle): void => {
    const target = { host: options.host, port: Number(options.port) };
    tunnel(url, target, timeoutMs).then(
      (socket) => {
        if (!isTls) return settle(null, socket);
        const servername = isIP(target.host) === 0 ? { servername: target.host } : {};
        const secure = connectTls({ ...options, ...servername, socket });
        secure.once('secureConnect', () => settle(null, secure));
        secure.once('error', settle);
      },
      (error: unknown) => settle(error as Error),
    );
  };
  return Object.assign(agent, { createConnection });
}

/** The code is what the log shows. */
const proxyError = (code: string, message: string): Error =>
  Object.assign(new Error(message), { code });

const userOf = (url: URL): { readonly name: string; readonly password: string } => ({
  name: decodeURIComponent(url.username),
  password: decodeURIComponent(url.password),
});

const HTTP_PORT = 3128;
const SOCKS_PORT = 1080;

async function httpTunnel(url: URL, { host, port }: Target, timeoutMs: number): Promise<Socket> {
  const { name, password } = userOf(url);
  const place = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  const headers = {
    host: place,
    ...(name === ''
      ? {}
      : {
          'proxy-authorization': `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
        }),
  };
  return await new Promise((resolve, reject) => {
    const asked = request({
      ...{ host: bareHost(url), port: url.port || HTTP_PORT, method: 'CONNECT', path: place },
      ...{ headers, timeout: timeoutMs, agent: false },
    });
    asked.once('connect', (answer, socket) => {
      if (answer.statusCode === 200) {
        socket.setTimeout(0);
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(proxyError(`PROXY_HTTP_${answer.statusCode}`, 'The proxy refuses the connection.'));
    });
    asked.once('timeout', () =>
      asked.destroy(proxyError('PROXY_TIMEOUT', 'The proxy does not answer.')),
    );
    asked.once('error', reject);
    asked.end();
  });
}

const bareHost = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

const VERSION = 5;
const NO_PASSWORD = 0;
const WITH_PASSWORD = 2;

async function socksTunnel(url: URL, target: Target, timeoutMs: number): Promise<Socket> {
  const { name, password } = userOf(url);
  const socket = connect({ host: bareHost(url), port: Number(url.port || SOCKS_PORT) });
  const late = setTimeout(
    () => socket.destroy(proxyError('PROXY_TIMEOUT', 'The proxy does not answer.')),
    timeoutMs,
  );
  try {
    const { read, release } = createReader(socket);
    const methods = name === '' ? [NO_PASSWORD] : [NO_PASSWORD, WITH_PASSWORD];
    socket.write(Buffer.from([VERSION, methods.length, ...methods]));
    const [version, method] = await read(2);
    if (version !== VERSION) throw proxyError('PROXY_NOT_SOCKS5', 'The proxy speaks no SOCKS5.');
    if (method === WITH_PASSWORD && name !== '') {
      const texts = [Buffer.from(name), Buffer.from(password)];
      const parts = texts.flatMap((text) => [Buffer.from([text.length]), text]);
      socket.write(Buffer.concat([Buffer.from([1]), ...parts]));
      const [, refused] = await read(2);
      if (refused !== 0) throw proxyError('PROXY_PASSWORD', 'The proxy refuses the password.');
    } else if (method !== NO_PASSWORD) {
      throw proxyError('PROXY_METHOD', 'The proxy wants another way of logging in.');
    }
    socket.write(connectRequest(target));
    await readConnected(read);
    release();
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(late);
  }
}

function connectRequest({ host, port }: Target): Buffer {
  const name = Buffer.from(host);
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16BE(port);
  // CONNECT, reserved, address type 3: a name.
  return Buffer.concat([Buffer.from([VERSION, 1, 0, 3, name.length]), name, portBytes]);
}

/** Bytes of an address by its type: IPv4, IPv6. A name says its own length. */
const ADDRESS_BYTES: Readonly<Record<number, number>> = { 1: 4, 4: 16 };

async function readConnected(read: (bytes: number) => Promise<Buffer>): Promise<void> {
  const [, refused = 1, , type = 1] = await read(4);
  if (refused !== 0) throw proxyError(`PROXY_SOCKS_${refused}`, 'The proxy cannot connect.');
  const bytes = ADDRESS_BYTES[type] ?? (await read(1))[0] ?? 0;
  await read(bytes + 2);
}

interface Reader {
  /** Gives exactly so many bytes. Rejects when the connection ends before. */
  read(bytes: number): Promise<Buffer>;
  /** Lets go of the socket. Whoever has it next speaks first, so nothing is between the two. */
  release(): void;
}

function createReader(socket: Socket): Reader {
  let buffer = Buffer.alloc(0);
  let failure: Error | undefined;
  let wake = (): void => undefined;
  const onData = (bytes: Buffer): void => {
    buffer = Buffer.concat([buffer, bytes]);
    wake();
  };
  const onError = (error: Error): void => {
    failure = error;
    wake();
  };
  const onClose = (): void => {
    failure ??= proxyError('PROXY_CLOSED', 'The proxy ended the connection.');
    wake();
  };
  socket.on('data', onData);
  // Stays: what comes of a socket that was destroyed is nobody's any more.
  socket.on('error', onError);
  socket.once('close', onClose);
  return {
    async read(bytes) {
      while (buffer.length < bytes) {
        if (failure !== undefined) throw failure;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const taken = buffer.subarray(0, bytes);
      buffer = buffer.subarray(bytes);
      return taken;
    },
    release() {
      socket.off('data', onData);
      socket.off('close', onClose);
      if (buffer.length > 0) throw proxyError('PROXY_CHATTY', 'The proxy says more than SOCKS5.');
    },
  };
}

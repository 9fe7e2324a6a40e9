/**
 * Takes `proxy_url`, gives connections to the collector through that proxy (CONNECT, RFC 9110, 9.3.6).
 * Keeps: TLS to the collector is end to end, so that a proxy sees neither events nor key; its password is in no error.
 */
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { buildConnector } from './undici-parts.ts';

/** Where a connection is to end. */
export interface TunnelTarget {
  readonly hostname: string;
  /** Empty = the protocol's own. */
  readonly port: string;
  readonly protocol: string;
}

/** Opens a connection to a target; rejects with what the proxy said. */
export type OpenTunnel = (target: TunnelTarget) => Promise<Socket>;

/** The way through a proxy. `ca` are the authorities that an https proxy's own certificate may come from. */
export function proxyTunnel(
  proxyUrl: string,
  timeoutMs: number,
  ca?: readonly string[],
): OpenTunnel {
  const proxy = new URL(proxyUrl);
  const secure = proxy.protocol === 'https:';
  const ask = secure ? tlsRequest : plainRequest;
  const user = decodeURIComponent(proxy.username);
  const credentials = Buffer.from(`${user}:${decodeURIComponent(proxy.password)}`);
  return (target) => {
    const port = target.port !== '' ? target.port : target.protocol === 'https:' ? '443' : '80';
    const authority = `${target.hostname}:${port}`;
    const asked = ask({
      method: 'CONNECT',
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: Number(proxy.port !== '' ? proxy.port : secure ? 443 : 80),
      path: authority,
      headers: {
        Host: authority,
        ...(user === ''
          ? {}
          : { 'Proxy-Authorization': `Basic ${credentials.toString('base64')}` }),
      },
      agent: false,
      timeout: timeoutMs,
      ...(ca === undefined ? {} : { ca: [...ca] }),
    });
    return new Promise((resolve, reject) => {
      const fail = (reason: string): void => {
        reject(new Error(`Proxy ${proxy.host}: ${reason}: see output.collector.proxy_url`));
      };
      asked.once('connect', (answer, socket: Socket, head: Buffer) => {
        if (answer.statusCode === 200 && head.length === 0) {
          socket.setTimeout(0);
          resolve(socket);
          return;
        }
        socket.destroy();
        fail(refusal(answer.statusCode ?? 0, authority));
      });
      asked.once('response', (answer) => {
        answer.destroy();
        fail(refusal(answer.statusCode ?? 0, authority));
      });
      asked.once('timeout', () => {
        asked.destroy();
        fail('it does not answer in time');
      });
      asked.once('error', (error: NodeJS.ErrnoException) =>
        fail(`it cannot be reached (${error.code ?? error.message})`),
      );
      asked.end();
    });
  };
}

/** A connector for http:// through a tunnel: the tunnel itself. */
export function plainThroughTunnel(tunnel: OpenTunnel): buildConnector.connector {
  return (options, callback) => {
    tunnel(options).then(
      (socket) => callback(null, socket),
      (error: Error) => callback(error, null),
    );
  };
}

function refusal(status: number, authority: string): string {
  if (status === 407) return 'it wants a user and a password (407), or other ones';
  if (status === 403) return `it does not let anybody to ${authority} (403)`;
  return `it answers ${status} to CONNECT ${authority}`;
}

/**
 * Takes the connections of a server, closes those that one address has too many of.
 * Keeps: one address cannot take every connection that the server has; proxies of the config are not counted, since all agents
 * behind one have its address.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Log } from '@launchbeat/ecs-schemas/beat';

export interface ConnectionLimits {
  readonly perAddress: number;
  readonly isProxy: (address: string) => boolean;
  readonly log: Log;
}

const WARN_EVERY_MS = 60_000;

/** Watches the server's connections from now on. */
export function limitConnections(
  server: Server,
  { perAddress, isProxy, log }: ConnectionLimits,
): void {
  const open = new Map<string, number>();
  let warnedAtMs = Number.NEGATIVE_INFINITY;
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? 'unknown';
    if (isProxy(address)) return;
    const count = (open.get(address) ?? 0) + 1;
    if (count > perAddress) {
      socket.destroy();
      if (performance.now() - warnedAtMs < WARN_EVERY_MS) return;
      warnedAtMs = performance.now();
      log.warn(
        { 'source.ip': address },
        `Address has ${perAddress} connections (http.connections_per_address_max); more are closed. A proxy belongs into http.trusted_proxies.`,
      );
      return;
    }
    open.set(address, count);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
  });
}

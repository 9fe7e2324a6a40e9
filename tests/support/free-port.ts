/**
 * Gives TCP ports of 127.0.0.1 that nobody listens on, from below the range that the system takes for outgoing connections:
 * so a server that stops and starts again finds its port still free.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';

const PORT_MIN = 20_000;
const PORT_MAX = 32_000;
const TRIES_MAX = 100;

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** A free port, chosen at random so that tests side by side hardly ever choose the same one. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free TCP port found between ${PORT_MIN} and ${PORT_MAX} on 127.0.0.1`);
}

const STARTS_MAX = 3;

/**
 * Starts a server on a free port and gives the port. Another process may have been quicker on it: then another one is tried, as long as
 * `isPortTaken` says that the failure may come from that.
 */
export async function onFreePort(
  startOn: (port: number) => Promise<void>,
  isPortTaken: (error: unknown) => boolean = () => true,
): Promise<number> {
  for (let starts = 1; ; starts += 1) {
    const port = await freePort();
    try {
      await startOn(port);
      return port;
    } catch (error) {
      if (!isPortTaken(error) || starts >= STARTS_MAX) throw error;
    }
  }
}
